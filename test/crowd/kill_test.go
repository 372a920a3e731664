package crowd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"outrigger/test/process"
)

// TestAnUpstreamIsKilledAndComesBack kills the upstream's process in the middle of
// 200 streams, 200 computes and some creates, and starts another one two seconds
// later. Computes are retried and succeed; what cannot be retried is told.
func TestAnUpstreamIsKilledAndComesBack(t *testing.T) {
	const streams, computes, creates = 200, 200, 20
	address := process.FreeAddress(t)
	simulator := func(arguments ...string) *process.Process {
		p := process.Start(t, nil, process.Binary(t), append([]string{"sim", "-listen", address}, arguments...)...)
		p.Ready(t, "http://"+address+"/_sim/kinds")
		return p
	}
	// Answers that take a minute, and uploads that are carried out and never answered.
	first := simulator("-tokens", "500", "-token-delay", "100ms", "-fault", "kind=hang,after=true,path=/v1/files")
	// A budget for a retry of every request: by default there is one for a fifth of them.
	o := start(t, "OUTRIGGER_UPSTREAMS=sim=http://"+address, "OUTRIGGER_RETRY_BUDGET=1")
	before := o.footprint()

	clients := []*http.Client{newClient(http1), newClient(http2)}
	var all sync.WaitGroup
	results := make([]result, streams+computes+creates)
	for i := range results {
		all.Go(func() {
			client := clients[i%len(clients)]
			switch {
			case i < streams:
				results[i] = do(client, streamRequest(t.Context(), o.base, dialects[i%len(dialects)].path, 0))
			case i < streams+computes:
				results[i] = chat(t.Context(), client, o.base)
			default:
				results[i] = send(t.Context(), client, o.base, body{id: i, size: 100, create: true}, true)
			}
		})
	}
	until(t, "all are under way", func() bool {
		var worked struct {
			Totals map[string]struct{ Works int }
		}
		_, text, err := fetch(o.asker, "http://"+address+"/_sim/ledger?last=1")
		if err == nil {
			err = json.Unmarshal(text, &worked)
		}
		works := 0
		for _, total := range worked.Totals {
			works += total.Works
		}
		return err == nil && works == len(results) && int(o.metrics()["outrigger_streams_open"]) == streams
	})
	first.Signal(t, syscall.SIGKILL)
	first.Wait(t)
	wait(t.Context(), 2*time.Second)
	simulator("-tokens", "5")
	all.Wait()

	counts := map[string]int{}
	for i, r := range results {
		var err error
		switch {
		case i < streams:
			err = toldOfCut(dialects[i%len(dialects)], r)
		case i < streams+computes:
			err = retried(r)
		default:
			err = ambiguous(r)
		}
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		counts[fmt.Sprintf("%d after %s attempts", r.status, r.header.Get("X-Outrigger-Attempts"))]++
	}
	t.Logf("%v", counts)
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	until(t, "the breaker is closed", func() bool { return o.status().Upstreams[0].Breaker == "closed" })
	o.allFreed(t, before)
}

// fetch gets a URL.
func fetch(client *http.Client, url string) (int, []byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	r := do(client, request)
	return r.status, r.text, r.err
}

// toldOfCut checks a stream that was cut after it had begun.
func toldOfCut(d dialect, r result) error {
	text := string(r.text)
	if r.status != http.StatusOK || r.err == nil {
		return fmt.Errorf("a cut stream: status %d, error %w, %.200s", r.status, r.err, text)
	}
	for _, part := range d.cut {
		if !strings.Contains(text, part) {
			return fmt.Errorf("a cut stream ends with %q, without %q", text[max(0, len(text)-500):], part)
		}
	}
	return nil
}

// retried checks an answer that took more than one attempt.
func retried(r result) error {
	if r.status != http.StatusOK || r.err != nil || !json.Valid(r.text) || r.header.Get("X-Outrigger-Attempts") < "2" {
		return fmt.Errorf("a compute: status %d, %w, %v attempts, %.300s", r.status, r.err, r.header["X-Outrigger-Attempts"], r.text)
	}
	return nil
}

// ambiguous checks the answer to a create that nobody knows the outcome of.
func ambiguous(r result) error {
	code, err := r.ownError()
	if err == nil && (code != "upstream_ambiguous" || r.header.Get("X-Should-Retry") != "false" || r.header.Get("X-Outrigger-Attempts") != "1") {
		err = fmt.Errorf("a create: %d, header %v, %s", r.status, r.header, r.text)
	}
	return err
}
