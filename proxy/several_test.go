package proxy

import (
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

// several is a proxy in front of several upstreams, in a bubble: "openai", the
// first, and then "second", "third". Each is a machine of its own.
type several struct {
	*rig
	hit   [3]atomic.Int64
	wires [3]*wire
}

var severalNames = [...]string{"openai", "second", "third"}

func newSeveral(t *testing.T, edit func(*settings.Config), scripts ...script) *several {
	t.Helper()
	s := &several{}
	counted := func(i int) script {
		return func(w http.ResponseWriter, r *http.Request, _ int) { scripts[i](w, r, int(s.hit[i].Add(1))) }
	}
	s.rig = newBubble(t, counted(0), func(c *settings.Config) {
		for _, name := range severalNames[1:len(scripts)] {
			c.Upstreams = append(c.Upstreams, at(t, name, "http://"+name+".test"))
		}
		if edit != nil {
			edit(c)
		}
	})
	s.wires[0] = s.behind
	for i, up := range s.proxy.gen().Upstreams[1:] {
		s.wires[i+1] = newWire()
		s.ways[up.Config.Name+".test:80"] = s.wires[i+1].dial
		server := &http.Server{
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
			Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { counted(i+1)(w, r, 0) }),
		}
		go func() { _ = server.Serve(s.wires[i+1]) }()
		t.Cleanup(func() {
			_ = server.Close()
			time.Sleep(time.Second) // the bubble's clock, as in newBubble
		})
	}
	return s
}

// calls returns how often each upstream was called.
func (s *several) times() [3]int64 {
	return [3]int64{s.hit[0].Load(), s.hit[1].Load(), s.hit[2].Load()}
}

// up answers well, with its name.
func answering(name string) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"from":"`+name+`"}`)
	}
}

// unanswered reads the request and never answers.
func unanswered(_ http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// resetting closes the connection when it has read the request.
func resetting(w http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// on sets the causes for failover.
func on(causes ...policy.FailoverCause) func(*settings.Config) {
	return func(c *settings.Config) { c.Failover = causes }
}

// outcome is what a caller can see of an answer, and how often each upstream was called.
type seen struct {
	Status                   int
	Upstream, Failover, Code string
	Calls                    [3]int64
}

// call sends one request and says what became of it.
func (s *several) call(method, path, body string) seen {
	s.t.Helper()
	resp, text := s.do(s.request(method, path, body))
	got := seen{
		Status: resp.StatusCode, Upstream: resp.Header.Get("x-outrigger-upstream"), Failover: resp.Header.Get("x-outrigger-failover"),
		Calls: s.times(),
	}
	if resp.StatusCode >= 400 {
		got.Code = errorCode(s.t, text)
	}
	return got
}

func readAll(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	return string(b)
}
