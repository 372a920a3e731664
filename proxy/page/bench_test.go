package page

import (
	"fmt"
	"testing"
	"time"

	"outrigger/policy/limit"
	"outrigger/policy/verdict"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/recent"
	"outrigger/proxy/status"
)

// BenchmarkLook is one look, of two per second, with what it sends: 250 requests that have
// ended since the look before, as at 500 per second, of which 200 are kept, and 50 limiters
// whose state has changed. The metric is the share of one core that an open page takes.
func BenchmarkLook(b *testing.B) {
	r := recent.New(time.Now())
	s := status.Status{Upstreams: []status.UpstreamStatus{{Name: "openai", URL: "https://api.openai.com", Breaker: "closed"}}}
	for i := range 50 {
		s.Upstreams[0].Limits = append(s.Upstreams[0].Limits, status.LimitStatus{
			Credential: "3f2a9c01", Model: fmt.Sprintf("gpt-4o-%d", i),
			State: limit.Snapshot{Buckets: []limit.Bucket{{Dimension: "requests", Limit: 500, Window: time.Minute}, {Dimension: "tokens", Limit: 30000, Window: time.Minute}}},
		})
	}
	h := newHub(Source{Recent: r, Status: func() status.Status {
		s.Inflight++
		s.Upstreams[0].Budget++
		s.Verdict = verdict.Judge(verdict.Facts{}, time.Now())
		return s
	}})
	h.listeners[&listener{events: make(chan []byte, 1)}] = true
	n := 0
	for b.Loop() {
		b.StopTimer()
		for range 250 {
			n++
			c := &call.Call{ID: fmt.Sprintf("or-0946882f-%d", n), Method: "POST", Path: "/v1/chat/completions", Start: time.Now()}
			for range 2 {
				r.Span(c.ID, observe.Span{Kind: observe.SpanAttempt, Lane: "openai", Reason: "final", Start: c.Start, End: time.Now()})
			}
			r.Done(&observe.Event{Call: c, Result: &call.Result{Status: 200, Attempts: 1}, End: time.Now(), Upstream: "openai"})
		}
		b.StartTimer()
		h.send(time.Now())
		b.StopTimer()
		for l := range h.listeners {
			<-l.events
		}
		b.StartTimer()
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)*float64(time.Second/lookEvery), "%core")
}
