package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"outrigger/test/corpus"
)

// order says what a request is to be answered with. It travels in the request's own
// "user" ("prompt" of a form), so that thousands may be under way at once and each is
// answered alike with and without Outrigger.
type order struct {
	name string // of a transcript
	kind string // "well", or what goes wrong
	at   int    // a byte of the stream
	id   int    // makes the order unlike any other
}

func (o order) String() string { return fmt.Sprintf("%s %s %d %d", o.name, o.kind, o.at, o.id) }

// provider is an upstream that answers with the corpus, well or not.
type provider struct {
	transcripts map[string]corpus.Transcript
	server      *httptest.Server

	mu   sync.Mutex
	seen map[order]int // attempts
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	list, err := corpus.Transcripts()
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{transcripts: map[string]corpus.Transcript{}, seen: map[order]int{}}
	for _, tr := range list {
		p.transcripts[tr.Name] = tr
	}
	p.server = httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(func() {
		p.server.CloseClientConnections() // those that are silent
		p.server.Close()
	})
	return p
}

func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	o := orderOf(r)
	tr, ok := p.transcripts[o.name]
	if !ok {
		http.Error(w, "no transcript "+o.name, http.StatusNotFound)
		return
	}
	p.mu.Lock()
	p.seen[o]++
	first := p.seen[o] == 1
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(b []byte) {
		_, _ = w.Write(b)
		_ = http.NewResponseController(w).Flush()
	}
	// A cut before the first event is struck once: Outrigger tries again.
	if !first && o.kind != "error_late" && o.at < tr.Ends()[tr.First] {
		o.kind = "well"
	}
	switch o.kind {
	case "error_first":
		send(tr.ErrorFirst())
	case "error_late":
		send(tr.Stream[:o.at])
		send(tr.Error)
	case "cut_clean":
		send(tr.Stream[:o.at])
	case "cut_close":
		send(tr.Stream[:o.at])
		hangUp(w, false)
	case "cut_reset":
		send(tr.Stream[:o.at])
		hangUp(w, true)
	case "silence":
		send(tr.Stream[:o.at])
		<-r.Context().Done()
	default:
		send(tr.Stream)
	}
}

// orderOf finds the order in a JSON body or a form.
func orderOf(r *http.Request) order {
	var o order
	text := r.FormValue("prompt")
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		var body struct{ User string }
		all, _ := io.ReadAll(r.Body)
		_ = json.NewDecoder(bytes.NewReader(all)).Decode(&body)
		text = body.User
	}
	_, _ = fmt.Sscan(text, &o.name, &o.kind, &o.at, &o.id)
	return o
}

// hangUp ends the connection in the middle of the answer, by a FIN or a RST.
func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if reset {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	_ = conn.Close()
}
