package crowd

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// TestHeldAnswersStayWithinBounds lets a crowd of answers come at the same time,
// each all but for its last byte: an answer of this size is held until it is
// whole, as far as OUTRIGGER_MEMORY_MAX has room for it.
func TestHeldAnswersStayWithinBounds(t *testing.T) {
	callers, memoryMax := scaled(200, 2000), int64(scaled(32, 256))*mebibyte
	answer := bytes.Join([][]byte{[]byte(`{"object":"crowd","text":"`), filler[:900<<10], []byte(`"}`)}, nil)
	var sent atomic.Int64
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer[:len(answer)-1])
		w.(http.Flusher).Flush()
		sent.Add(1)
		select {
		case <-held:
		case <-r.Context().Done():
		}
		_, _ = w.Write(answer[len(answer)-1:])
	}))
	t.Cleanup(upstream.Close)
	t.Cleanup(release)
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+upstream.URL, "OUTRIGGER_LEARN=false", "OUTRIGGER_MEMORY_MAX="+mebibytes(memoryMax))
	before, peak := o.footprint(), o.watch()

	client := newClient(http1)
	results, all := make([]result, callers), sync.WaitGroup{}
	for i := range callers {
		all.Go(func() { results[i] = chat(t.Context(), client, o.base) })
	}
	until(t, "all are answered but for a byte", func() bool { return sent.Load() == int64(callers) })
	release()
	all.Wait()
	most := peak()
	t.Logf("%d answers of %d bytes; at most: %v", callers, len(answer), most)
	complaints := newComplaints(t)
	for i, r := range results {
		if r.status != http.StatusOK || r.err != nil || !bytes.Equal(r.text, answer) {
			complaints.addf("caller %d: status %d, %v, %d bytes of %d, %.200s", i, r.status, r.err, len(r.text), len(answer), r.text[:min(200, len(r.text))])
		}
	}
	if most.memory > memoryMax {
		t.Errorf("%d bytes are held, the bound is %d", most.memory, memoryMax)
	}
	o.boundResident(most, memoryMax, callers)
	client.CloseIdleConnections()
	upstream.CloseClientConnections()
	o.allFreed(t, before)
}
