package sdk

import (
	"bytes"
	"cmp"
	"compress/gzip"
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
	name  string // of a transcript
	kind  string // "well", or what goes wrong
	dress string // how the stream is labelled and encoded; "" is rightly and not
	at    int    // a byte of the stream
	id    int    // makes the order unlike any other
}

func (o order) String() string {
	return fmt.Sprintf("%s %s %s %d %d", o.name, o.kind, cmp.Or(o.dress, "right"), o.at, o.id)
}

// types are the labels of a dress.
var types = map[string]string{
	"json": "application/json", "text": "text/plain; charset=utf-8", "octets": "application/octet-stream", "malformed": "text/event-stream; ;;=", "none": "",
}

// outlet sends a stream in its dress.
type outlet struct {
	w      http.ResponseWriter
	packer *gzip.Writer // nil when it is not encoded
}

func (o order) open(w http.ResponseWriter) *outlet {
	out := &outlet{w: w}
	label, known := types[strings.TrimPrefix(o.dress, "gzip_")]
	if !known {
		label = "text/event-stream"
	}
	w.Header()["Content-Type"] = []string{label}
	if strings.HasPrefix(o.dress, "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		out.packer = gzip.NewWriter(w)
	}
	return out
}

func (o *outlet) send(b []byte) {
	if o.packer == nil {
		_, _ = o.w.Write(b)
	} else {
		_, _ = o.packer.Write(b)
		_ = o.packer.Flush()
	}
	_ = http.NewResponseController(o.w).Flush()
}

// end gives an encoded stream the end of its encoding.
func (o *outlet) end() {
	if o.packer != nil {
		_ = o.packer.Close()
	}
}

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
	out := o.open(w)
	// A cut before the first event is struck once: Outrigger tries again.
	if !first && o.kind != "error_late" && o.at < tr.Ends()[tr.First] {
		o.kind = "well"
	}
	switch o.kind {
	case "error_first":
		out.send(tr.ErrorFirst())
		out.end()
	case "error_late":
		out.send(tr.Stream[:o.at])
		out.send(tr.Error)
		out.end()
	case "cut_clean":
		out.send(tr.Stream[:o.at])
		out.end()
	case "cut_torn": // as cut_clean, but for the end of the encoding
		out.send(tr.Stream[:o.at])
	case "cut_close":
		out.send(tr.Stream[:o.at])
		hangUp(w, false)
	case "cut_reset":
		out.send(tr.Stream[:o.at])
		hangUp(w, true)
	case "silence":
		out.send(tr.Stream[:o.at])
		<-r.Context().Done()
	case "short": // without what may follow the answer
		out.send(tr.Until(tr.Whole))
		out.end()
	default:
		out.send(tr.Stream)
		out.end()
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
	_, _ = fmt.Sscan(text, &o.name, &o.kind, &o.dress, &o.at, &o.id)
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
