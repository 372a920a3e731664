package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/recent"
	"outrigger/proxy/status"
)

func done(r *recent.Recorder, id string) {
	r.Done(&observe.Event{
		Call:   &call.Call{ID: id, Method: http.MethodPost, Path: "/v1/chat/completions", Start: time.Now()},
		Result: &call.Result{Status: 200, Source: call.SourceUpstream, Outcome: call.OutcomeCompleted, Attempts: 1}, End: time.Now(),
	})
}

// rig is a hub whose status says what the test sets, and counts looks.
type rig struct {
	hub      *hub
	recent   *recent.Recorder
	looks    atomic.Int64
	inflight atomic.Int64
	slow     atomic.Int64 // nanoseconds that a look takes
}

func newRig() *rig {
	g := &rig{recent: recent.New(time.Now())}
	g.hub = newHub(Source{Recent: g.recent, Status: func() status.Status {
		g.looks.Add(1)
		time.Sleep(time.Duration(g.slow.Load()))
		return status.Status{
			Time: time.Now(), Inflight: int(g.inflight.Load()), Totals: g.recent.Totals(),
			Upstreams: []status.UpstreamStatus{{Name: "a"}, {Name: "b", Waiting: int(g.inflight.Load()) / 10}},
		}
	}})
	return g
}

// next returns the next update of a listener, which must come within d.
func next(t *testing.T, l *listener, within time.Duration) update {
	t.Helper()
	select {
	case event := <-l.events:
		var u update
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(event), "data: ")), &u); err != nil {
			t.Fatal(err)
		}
		return u
	case <-time.After(within):
		t.Fatalf("no event within %s", within)
		return update{}
	}
}

func ids(u update) []string {
	ids := []string{}
	for _, q := range u.Requests {
		ids = append(ids, q.ID)
	}
	return ids
}

func names(m map[string]json.RawMessage) []string {
	names := []string{}
	for _, name := range []string{"a", "b", "idempotency", "load", "order", "totals", "verdict"} {
		if m[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

func TestEvents_AllAtFirstThenWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		done(g.recent, "before")
		l := g.hub.join()
		defer g.hub.leave(l)
		u := next(t, l, time.Second)
		if !u.Full || !reflect.DeepEqual(ids(u), []string{"before"}) || len(u.Parts) != 5 || len(u.Upstreams) != 2 {
			t.Errorf("at first: %+v", u)
		}
		g.inflight.Store(3)
		u = next(t, l, 2*lookEvery)
		if u.Full || !reflect.DeepEqual(names(u.Parts), []string{"load"}) || len(u.Upstreams) != 0 || len(u.Requests) != 0 {
			t.Errorf("a change: %+v", u)
		}
		g.inflight.Store(30)
		for i := range 5 {
			done(g.recent, fmt.Sprint(i))
		}
		u = next(t, l, 2*lookEvery)
		if !reflect.DeepEqual(names(u.Parts), []string{"load", "totals"}) || !reflect.DeepEqual(names(u.Upstreams), []string{"b"}) || !reflect.DeepEqual(ids(u), []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("requests have ended: %+v", u)
		}
	})
}

func TestEvents_AQuietOutriggerSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		l := g.hub.join()
		defer g.hub.leave(l)
		next(t, l, time.Second)
		began := time.Now()
		if u := next(t, l, time.Minute); len(u.Parts)+len(u.Upstreams)+len(u.Requests) != 0 {
			t.Errorf("got %+v", u)
		}
		if took := time.Since(began); took < aliveEvery-lookEvery || took > aliveEvery+lookEvery {
			t.Errorf("after %s, want %s", took, aliveEvery)
		}
	})
}

func TestEvents_NothingIsComputedWhileNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		time.Sleep(time.Hour)
		if n := g.looks.Load(); n != 0 {
			t.Errorf("%d looks before anybody listens", n)
		}
		l := g.hub.join()
		time.Sleep(10*time.Second + lookEvery/2) // not at the moment of a look
		if n := g.looks.Load(); n < 19 || n > 21 {
			t.Errorf("%d looks in 10 s, want 2 per second", n)
		}
		g.hub.leave(l)
		n := g.looks.Load()
		time.Sleep(time.Hour)
		if got := g.looks.Load(); got != n {
			t.Errorf("%d looks after all have left", got-n)
		}
		// The bubble ends without a goroutine: synctest fails the test otherwise.
	})
}

func TestEvents_LookingTakesOnePercentAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		g.slow.Store(int64(50 * time.Millisecond))
		l := g.hub.join()
		defer g.hub.leave(l)
		time.Sleep(time.Minute - time.Second)
		if n := g.looks.Load(); n < 12 || n > 13 {
			t.Errorf("%d looks of 50 ms in a minute, want 12: one percent", n)
		}
	})
}

func TestEvents_ComingAndGoingDoesNotLookMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		for range 100 {
			l := g.hub.join()
			time.Sleep(10 * time.Millisecond)
			g.hub.leave(l)
		}
		if n := g.looks.Load(); n > 3 {
			t.Errorf("%d looks in a second", n)
		}
		time.Sleep(time.Second)
	})
}

func TestEvents_OneLookForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		var all []*listener
		for range MaxListeners {
			all = append(all, g.hub.join())
		}
		if l := g.hub.join(); l != nil {
			t.Error("one more than MaxListeners")
		}
		for _, l := range all {
			if u := next(t, l, time.Second); !u.Full {
				t.Errorf("got %+v", u)
			}
		}
		if n := g.looks.Load(); n > 2 {
			t.Errorf("%d looks", n)
		}
		for _, l := range all {
			g.hub.leave(l)
		}
	})
}

func TestEvents_WhoDoesNotKeepUpGetsAllAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig()
		l := g.hub.join()
		defer g.hub.leave(l)
		for i := range 20 {
			g.inflight.Store(int64(i))
			done(g.recent, fmt.Sprint(i))
			time.Sleep(lookEvery)
		}
		var last update
		for range eventsWaiting {
			last = next(t, l, time.Second)
		}
		if last.Full {
			t.Errorf("what waited is not what was known at first: %+v", last)
		}
		if u := next(t, l, 2*lookEvery); !u.Full || len(u.Requests) != 20 {
			t.Errorf("after that: full %v, %d requests", u.Full, len(u.Requests))
		}
	})
}

func TestEvents_OverHTTP(t *testing.T) {
	t.Parallel()
	g := newRig()
	p := &Page{mux: http.NewServeMux(), hub: g.hub}
	p.mux.HandleFunc("/events", g.hub.serve)
	server := httptest.NewUnstartedServer(p)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond // the admin listener has 10 s
	server.Start()
	defer server.Close()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events", http.NoBody)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type: %s", got)
	}
	buf := make([]byte, 1<<16)
	for i := 0; i < 4; {
		n, err := response.Body.Read(buf)
		if err != nil {
			t.Fatalf("after %d events: %v; the server's timeouts are not for this", i, err)
		}
		i += strings.Count(string(buf[:n]), "data: ")
		g.inflight.Add(1)
	}

	var others []*listener
	for range MaxListeners - 1 {
		others = append(others, g.hub.join())
	}
	refused, err := server.Client().Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	refused.Body.Close()
	if refused.StatusCode != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") != "10" {
		t.Errorf("one too many: %s", refused.Status)
	}
	for _, l := range others {
		g.hub.leave(l)
	}
	head, err := server.Client().Head(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	head.Body.Close()
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", head.Status)
	}
}
