package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/observe"
)

// spans keeps what a Recorder is told.
type spans struct {
	mu    sync.Mutex
	begun int
	all   []observe.Span
	done  []string
}

func (s *spans) Begin(observe.Kind, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
}

func (s *spans) Span(id string, span observe.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != "" {
		s.all = append(s.all, span)
	}
}

func (*spans) Notice(observe.Notice) {}

func (s *spans) Done(e *observe.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, fmt.Sprintf("%s after %s", e.Result.Result(), e.Took().Round(100*time.Millisecond)))
}

// records has the proxy tell s too.
func (g *rig) records(s *spans) {
	g.proxy.recorder = append(slices.Clone(g.proxy.recorder.(observe.Recorders)), s)
	g.proxy.gen().Recorder = g.proxy.recorder
}

// The spans of a request, side by side, show where its time went: each wait and each attempt
// with its beginning, its end and why.
func TestSpans_ShowWhereTheTimeOfARequestWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, call int) {
			time.Sleep(time.Second)
			if call == 1 {
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			if call == 2 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = fmt.Fprint(w, ": wait\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(500 * time.Millisecond)
			_, _ = fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(2 * time.Second)
			_, _ = fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		})
		s := &spans{}
		g.records(s)
		start := time.Now()
		g.do(g.request(http.MethodPost, chatPath, `{"model":"m","stream":true,"messages":[]}`))
		synctest.Wait()
		var got []string
		for _, span := range s.all {
			from, to := span.Start.Sub(start).Round(100*time.Millisecond), span.End.Sub(start).Round(100*time.Millisecond)
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s-%s %s", span.Kind, from, to, span.Reason)))
		}
		want := []string{
			"attempt 0s-1s rate_limit",
			"backoff 1s-4s rate_limit",
			"attempt 4s-5s retry",
			"backoff 5s-5s retry",
			"hold 6s-6.5s",
			"attempt 5s-6.5s final",
			"stream 6.5s-8.5s completed",
		}
		if !slices.Equal(got, want) {
			t.Errorf("spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if s.begun != 1 || !slices.Equal(s.done, []string{"completed after 8.5s"}) {
			t.Errorf("%d begun, done %v", s.begun, s.done)
		}
	})
}
