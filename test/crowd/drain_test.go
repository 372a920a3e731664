package crowd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// repeat returns n times v.
func repeat(n, v int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// TestStreamsWithSecondsToGoOutliveTheSignal ends a process that has 50 streams in
// three dialects under way, each with three seconds to go.
func TestStreamsWithSecondsToGoOutliveTheSignal(t *testing.T) {
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+newStreamer(t))
	old, multiplexed := newClient(http1), newClient(http2)
	const events = int(3 * time.Second / beat)
	streams := append(listen(t, old, o.base, repeat(25, events)...), listen(t, multiplexed, o.base, repeat(25, events)...)...)

	o.Signal(t, syscall.SIGTERM)
	until(t, "the drain has begun", func() bool { return o.status().Draining })
	if code, _, err := o.ask("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d %v", code, err)
	}
	// Whoever comes now is sent away: over a new connection of either version, over
	// one that was kept, and over the one that the streams share.
	for name, client := range map[string]*http.Client{
		"new HTTP/1.1": newClient(http1), "new HTTP/2": newClient(http2), "kept HTTP/1.1": old, "shared HTTP/2": multiplexed,
	} {
		r := chat(t.Context(), client, o.base)
		if code, err := r.ownError(); code != "draining" || err != nil {
			t.Errorf("a newcomer, %s: %d %s, %v", name, r.status, r.text, err)
		}
	}
	for _, s := range streams {
		if err := s.complete(); err != nil {
			t.Error(err)
		}
	}
	if code := o.Wait(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(o.base, "http://")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("afterwards a connection is not refused: %v", err)
	}
}

// killTime is how long `docker stop` waits between SIGTERM and SIGKILL, and half as
// long again where the machine may be busy.
func killTime() time.Duration {
	if os.Getenv("OUTRIGGER_TEST_TIMING") != "" {
		return 10 * time.Second
	}
	return 15 * time.Second
}

// TestTheDrainIsOverBeforeTheKill is `docker stop` with OUTRIGGER_DRAIN_TIMEOUT=8s:
// callers of every kind would go on for longer, and each is told, as far as it listens.
func TestTheDrainIsOverBeforeTheKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+newStreamer(t), "OUTRIGGER_TPM=6000000", "OUTRIGGER_DRAIN_TIMEOUT=8s")
	const short, long = int(4 * time.Second / beat), int(time.Minute / beat)
	clients := []*http.Client{newClient(http1), newClient(http2)}
	var ending, outlasting []listener
	for _, c := range clients {
		ending = append(ending, listen(t, c, o.base, repeat(6, short)...)...)
		outlasting = append(outlasting, listen(t, c, o.base, repeat(12, long)...)...)
	}
	// Those who are waiting: for an answer, for that to a create, and in line behind
	// one that took all tokens of the minute.
	var waiting sync.WaitGroup
	expect := func(code string, path, body, contentType string) {
		for _, c := range clients {
			waiting.Go(func() {
				request, _ := http.NewRequest(http.MethodPost, o.base+path, strings.NewReader(body))
				request.Header.Set("Content-Type", contentType)
				if strings.Contains(body, `"big"`) { // models that no answer has shown to exist share a limit, of one credential
					request.Header.Set("Authorization", "Bearer sk-big")
				}
				r := do(c, request)
				if got, err := r.ownError(); got != code || err != nil {
					t.Errorf("%s, waiting: %d %s, %v; want %s", path, r.status, r.text, err, code)
				}
			})
		}
	}
	expect("draining", "/v1/embeddings", `{"model":"m","input":"hello"}`, "application/json")
	upload := body{size: 1000, create: true}
	text, _ := io.ReadAll(upload.reader())
	expect("upstream_ambiguous", upload.path(), string(text), upload.contentType())
	expect("draining", "/v1/chat/completions", `{"model":"big","max_tokens":5900000,"messages":[{"role":"user","content":"hello"}]}`, "application/json")
	stuck := []net.Conn{
		hold(t, o, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"), // sends no more
		hold(t, o, "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"),         // reads nothing
		hold(t, o, "GET /v1/models HTTP/1.1\r\nHost: loc"),                                                   // is no request yet
		hold(t, o, fmt.Sprintf("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n%s: %d\r\n", eventsHeader, 100_000_000)+ // reads nothing of a stream
			"Content-Length: 27\r\n\r\n"+`{"model":"m","stream":true}`),
	}
	// The streams, two of each of those who wait, and the stuck but one.
	until(t, "all are under way", func() bool {
		s := o.status()
		return s.Inflight == len(ending)+len(outlasting)+6+len(stuck)-1 && s.queue() == 1
	})

	began := time.Now()
	o.Signal(t, syscall.SIGTERM)
	kill := time.AfterFunc(killTime(), func() { o.Signal(t, syscall.SIGKILL) })
	defer kill.Stop()
	for _, s := range ending {
		if err := s.complete(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range outlasting {
		if err := s.told(); err != nil {
			t.Error(err)
		}
	}
	waiting.Wait()
	if code := o.Wait(t); code != 0 {
		t.Errorf("exit status %d; -1 is the kill", code)
	}
	t.Logf("gone %v after the signal", time.Since(began))
	for _, c := range stuck {
		c.Close()
	}
}

// hold sends text and then neither sends nor reads.
func hold(t *testing.T, o *outrigger, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(o.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}
