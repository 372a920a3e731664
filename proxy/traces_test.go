package proxy

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"outrigger/internal/otlp"
	"outrigger/proxy/observe"
	"outrigger/proxy/settings"
	"outrigger/proxy/trace"
)

// collected is a collector without a network.
type collected struct {
	mu    sync.Mutex
	spans []*tracepb.Span
}

func (*collected) Start(context.Context) error { return nil }
func (*collected) Stop(context.Context) error  { return nil }

func (c *collected) UploadTraces(_ context.Context, all []*tracepb.ResourceSpans) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range all {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return nil
}

// traces has the proxy record traces, as the variables say. The function that it returns ends
// that and returns the spans by their beginning.
func (g *rig) traces(variables ...string) func() []*tracepb.Span {
	s, mistakes := otlp.Load(append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.test"}, variables...))
	if !s.On() || len(mistakes) > 0 {
		g.t.Fatalf("traces are off: %v", mistakes)
	}
	to := &collected{}
	counts, err := observe.NewTraceSpans(prometheus.NewRegistry())
	if err != nil {
		g.t.Fatal(err)
	}
	tracer, err := trace.New(&s, to, trace.Deps{Log: slog.New(slog.DiscardHandler), Spans: counts, Version: "1.2.3"})
	if err != nil {
		g.t.Fatal(err)
	}
	g.proxy.recorder = append(slices.Clone(g.proxy.recorder.(observe.Recorders)), tracer)
	g.proxy.deps.Tracer = tracer
	g.proxy.gen().Recorder, g.proxy.gen().Tracer = g.proxy.recorder, tracer
	return func() []*tracepb.Span {
		tracer.Close()
		slices.SortStableFunc(to.spans, func(a, b *tracepb.Span) int {
			return cmp.Or(cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano), cmp.Compare(a.Kind, b.Kind)) // the server's first
		})
		return to.spans
	}
}

// spanText is a span in words: its kind, name, time since start, status, attributes and events.
func spanText(s *tracepb.Span, start time.Time) string {
	since := func(nanoseconds uint64) time.Duration {
		return time.Unix(0, int64(nanoseconds)).Sub(start).Round(100 * time.Millisecond)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %s-%s %s\n", strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")), s.Name,
		since(s.StartTimeUnixNano), since(s.EndTimeUnixNano), strings.TrimPrefix(s.Status.GetCode().String(), "STATUS_CODE_"))
	for _, a := range s.Attributes {
		if a.Key == "outrigger.request.id" { // another one in each run
			continue
		}
		fmt.Fprintf(&b, "  %s=%v\n", a.Key, plainValue(a.Value.String()))
	}
	for _, e := range s.Events {
		fmt.Fprintf(&b, "  at %s: %s", since(e.TimeUnixNano), e.Name)
		for _, a := range e.Attributes {
			fmt.Fprintf(&b, " %s=%v", a.Key, plainValue(a.Value.String()))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// plainValue is an attribute's value without its type.
func plainValue(text string) string {
	_, value, _ := strings.Cut(text, ":")
	return strings.Trim(value, `"`)
}

const (
	callersTrace  = "0af7651916cd43dd8448eb211c80319c"
	callersSpan   = "b7ad6b7169203331"
	callersParent = "00-" + callersTrace + "-" + callersSpan + "-01"
)

// A retried streamed request is a server span in the caller's trace, with a client span for
// each attempt and an event for each wait.
func TestTraces_OfARetriedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []http.Header
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			sent = append(sent, r.Header.Clone())
			time.Sleep(time.Second)
			if call == 1 {
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = fmt.Fprint(w, ": wait\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(500 * time.Millisecond)
			_, _ = fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"content\":\"a secret answer\"}}]}\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(2 * time.Second)
			_, _ = fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":11}}\n\ndata: [DONE]\n\n")
		})
		ended := g.traces()
		start := time.Now()
		r := g.request(http.MethodPost, chatPath+"?key=secret-in-query", `{"model":"m","stream":true,"messages":[{"role":"user","content":"a secret prompt"}]}`)
		r.Header.Set("Traceparent", callersParent)
		r.Header.Set("Tracestate", "vendor=1")
		r.Header.Set("Authorization", "Bearer secret-key")
		g.do(r)
		synctest.Wait()
		spans := ended()
		if len(spans) != 3 {
			t.Fatalf("%d spans, want one of the request and two of attempts", len(spans))
		}
		got := ""
		for _, s := range spans {
			got += spanText(s, start)
			if fmt.Sprintf("%x", s.TraceId) != callersTrace {
				t.Errorf("%s: in trace %x, want the caller's", s.Name, s.TraceId)
			}
		}
		if got != retriedStream {
			t.Errorf("spans\n%s\nwant\n%s", got, retriedStream)
		}
		if strings.Contains(fmt.Sprint(spans), "secret") {
			t.Errorf("a secret, a prompt or an answer in %v", spans)
		}
		if parent := fmt.Sprintf("%x", spans[0].ParentSpanId); parent != callersSpan {
			t.Errorf("the request's parent is %s, want the caller's span", parent)
		}
		for i, s := range spans[1:] {
			if !bytes.Equal(s.ParentSpanId, spans[0].SpanId) {
				t.Errorf("attempt %d's parent is %x, want the request's span", i+1, s.ParentSpanId)
			}
			if got, want := sent[i].Get("Traceparent"), fmt.Sprintf("00-%s-%x-01", callersTrace, s.SpanId); got != want {
				t.Errorf("attempt %d: upstream got traceparent %s, want the attempt's span %s", i+1, got, want)
			}
			if got := sent[i].Get("Tracestate"); got != "vendor=1" {
				t.Errorf("attempt %d: upstream got tracestate %q", i+1, got)
			}
		}
	})
}

// retriedStream is what is told of that request.
const retriedStream = `server "POST chat.completions" 0s-7.5s UNSET
  http.request.method=POST
  url.path=/v1/chat/completions
  outrigger.outcome=completed
  outrigger.attempts=2
  outrigger.source=upstream
  http.response.status_code=200
  gen_ai.operation.name=chat
  gen_ai.request.model=m
  outrigger.upstream=openai
  at 1s: backoff outrigger.upstream=openai outrigger.reason=rate_limit outrigger.wait.seconds=3
client "chat m" 0s-1s ERROR
  http.request.method=POST
  server.address=upstream.test
  server.port=80
  outrigger.upstream=openai
  gen_ai.operation.name=chat
  gen_ai.provider.name=openai
  gen_ai.request.model=m
  gen_ai.request.stream=true
  outrigger.outcome=rate_limited
  outrigger.decision=rate_limit
  outrigger.rule=rate_limited
  http.response.status_code=429
  error.type=rate_limited
client "chat m" 4s-7.5s UNSET
  http.request.method=POST
  server.address=upstream.test
  server.port=80
  outrigger.upstream=openai
  http.request.resend_count=1
  gen_ai.operation.name=chat
  gen_ai.provider.name=openai
  gen_ai.request.model=m
  gen_ai.request.stream=true
  outrigger.outcome=ok
  outrigger.decision=final
  outrigger.rule=ok
  http.response.status_code=200
  gen_ai.usage.input_tokens=7
  gen_ai.usage.output_tokens=11
  at 5s: hold outrigger.wait.seconds=0.5
`

// When traces are off, the headers of a trace pass as any other; a caller that sends none has
// none sent.
func TestTraces_OffLeavesHeadersAsTheyAre(t *testing.T) {
	var got http.Header
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		got = r.Header.Clone()
		_, _ = fmt.Fprint(w, `{}`)
	})
	for _, sent := range []map[string][]string{
		{"Traceparent": {callersParent}, "Tracestate": {"a=1", "b=2"}},
		{"Traceparent": {"not valid"}},
		{},
	} {
		r := g.request(http.MethodGet, "/v1/models", "")
		for name, values := range sent {
			r.Header[name] = values
		}
		g.do(r)
		for _, name := range []string{"Traceparent", "Tracestate"} {
			if !slices.Equal(got[name], sent[name]) {
				t.Errorf("sent %v: upstream got %s %q", sent, name, got[name])
			}
		}
	}
}

// What a caller sends may be no trace context at all: then its request begins a trace.
func TestTraces_OfCallersWithoutAValidTrace(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = fmt.Fprint(w, `{}`) })
	ended := g.traces()
	for _, parents := range [][]string{nil, {"nonsense"}, {callersParent, callersParent}, {"00-" + strings.Repeat("0", 32) + "-" + callersSpan + "-01"}} {
		r := g.request(http.MethodGet, "/v1/models", "")
		r.Header["Traceparent"] = parents
		g.do(r)
	}
	traces := map[string]int{}
	for _, s := range ended() {
		traces[string(s.TraceId)]++
		if fmt.Sprintf("%x", s.TraceId) == callersTrace {
			t.Error("joined a trace that was not named validly")
		}
	}
	if len(traces) != 4 {
		t.Errorf("%d traces of 4 requests", len(traces))
	}
}

// The state of a trace may come as several headers, which are one list.
func TestTraces_SeveralStatesAreOneList(t *testing.T) {
	var got http.Header
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		got = r.Header.Clone()
		_, _ = fmt.Fprint(w, `{}`)
	})
	defer g.traces()()
	r := g.request(http.MethodGet, "/v1/models", "")
	r.Header["Traceparent"], r.Header["Tracestate"] = []string{callersParent}, []string{"a=1", "b=2"}
	g.do(r)
	if states := got["Tracestate"]; !slices.Equal(states, []string{"a=1,b=2"}) {
		t.Errorf("upstream got %q", states)
	}
}

// A caller that records nothing of its own request has nothing recorded here, and the
// upstream is told so.
func TestTraces_FollowTheCallersSampling(t *testing.T) {
	var got http.Header
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		got = r.Header.Clone()
		_, _ = fmt.Fprint(w, `{}`)
	})
	ended := g.traces()
	r := g.request(http.MethodGet, "/v1/models", "")
	r.Header.Set("Traceparent", strings.TrimSuffix(callersParent, "01")+"00")
	g.do(r)
	if parent := got.Get("Traceparent"); !strings.HasPrefix(parent, "00-"+callersTrace) || !strings.HasSuffix(parent, "-00") {
		t.Errorf("upstream got traceparent %s", parent)
	}
	if spans := ended(); len(spans) > 0 {
		t.Errorf("recorded %v", spans)
	}
}

// Of a request that failed over, each attempt says where it went; of one that no upstream
// answered, the request says so.
func TestTraces_OfFailures(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusInternalServerError) },
		func(c *settings.Config) { c.Retry.Max = 1 })
	ended := g.traces()
	g.do(g.request(http.MethodPost, chatPath, `{"model":"m","messages":[]}`))
	spans := ended()
	if len(spans) != 3 {
		t.Fatalf("%d spans", len(spans))
	}
	for _, s := range spans {
		if got := spanText(s, time.Now()); s.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || !strings.Contains(got, "error.type=failed") {
			t.Errorf("no error in %s", got)
		}
	}
}

// A call that goes on when its caller has left goes on in the trace too, and nothing is kept
// of it afterwards.
func TestTraces_OfACallThatGoesOnWithoutItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, call int) {
			time.Sleep(5 * time.Second)
			if call == 1 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprint(w, `{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":11}}`)
		}, func(c *settings.Config) { c.Retry.Base, c.Retry.Cap = time.Second, time.Second })
		ended := g.traces()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r := g.request(http.MethodPost, chatPath, `{"model":"m","messages":[]}`).WithContext(ctx)
		r.Header.Set("Idempotency-Key", "k")
		_, _ = g.client.Do(r)
		time.Sleep(time.Minute)
		var got []string
		for _, s := range ended() {
			first, _, _ := strings.Cut(spanText(s, start), "\n")
			got = append(got, first)
		}
		if len(got) != 3 || !strings.Contains(got[0], "0s-2s") || !strings.Contains(got[1], "0s-5s ERROR") || !strings.Contains(got[2], "UNSET") {
			t.Errorf("spans\n%s", strings.Join(got, "\n"))
		}
	})
}
