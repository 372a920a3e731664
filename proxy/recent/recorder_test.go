package recent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

var start = time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// event is a request that ended well after a second, for an edit.
func event(id string, edit func(*observe.Event)) *observe.Event {
	c := &call.Call{ID: id, Method: http.MethodPost, Path: "/v1/chat/completions", Start: start, Endpoint: endpoint.Endpoint{Name: "chat.completions"}}
	c.Facts.Model = "gpt-4o"
	e := &observe.Event{
		Call: c, End: at(1000), Upstream: "openai", Sent: "gpt-4o", Credential: "3f2a9c01",
		Result: &call.Result{Status: 200, Source: call.SourceUpstream, Outcome: call.OutcomeCompleted, Attempts: 1},
	}
	if edit != nil {
		edit(e)
	}
	return e
}

func ids(requests []Request) []string {
	var ids []string
	for _, q := range requests {
		ids = append(ids, q.ID)
	}
	return ids
}

func TestRecorder_ARequestHasItsSpans(t *testing.T) {
	t.Parallel()
	r := New(start)
	r.Span("a", observe.Span{Kind: observe.SpanQueue, Lane: "openai", Reason: "rate", Start: at(1), End: at(100)})
	r.Span("b", observe.Span{Kind: observe.SpanQueue, Lane: "openai", Reason: "rate", Start: at(1), End: at(50)})
	r.Span("a", observe.Span{Kind: observe.SpanHold, Lane: "openai", Start: at(300), End: at(310)})
	r.Span("a", observe.Span{
		Kind: observe.SpanAttempt, Lane: "openai", Reason: "retry", Start: at(100), End: at(310),
		Try: observe.Try{Number: 1, Status: 503, Outcome: classify.OutcomeOverloaded, Rule: "overloaded", Wait: time.Second, Hint: 2 * time.Second},
	})
	r.Done(event("a", func(e *observe.Event) { e.Result.Queue, e.Result.First = 99*time.Millisecond, 400*time.Millisecond }))
	got, err := json.Marshal(r.After(0))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"seq":1,"id":"a","start":"2026-11-30T14:02:00Z","took_ms":1000,"method":"POST","path":"/v1/chat/completions","endpoint":"chat.completions",` +
		`"model":"gpt-4o","credential":"3f2a9c01","status":200,"outcome":"completed","source":"upstream","upstream":"openai","attempts":1,` +
		`"queue_ms":99,"breaker_ms":0,"ttfb_ms":400,"spans":[{"kind":"queue","upstream":"openai","reason":"rate","at_ms":1,"took_ms":99},` +
		`{"kind":"attempt","upstream":"openai","reason":"retry","at_ms":100,"took_ms":210,"attempt":1,"status":503,"outcome":"overloaded",` +
		`"rule":"overloaded","wait_ms":1000,"hint_ms":2000,"hold_ms":10}]}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRecorder_NoSecretsAndNoWordsOfTheUpstream(t *testing.T) {
	t.Parallel()
	r := New(start)
	r.Done(event("a", func(e *observe.Event) {
		e.Call.Path, e.Call.Query = "/v1/files/sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH", "key=sk-secret"
		e.Result.ErrorMessage, e.Result.ErrorCode = "your prompt was: tell me", "bad"
	}))
	r.Done(event("b", func(e *observe.Event) {
		e.Result.Local, e.Result.ErrorMessage = apierror.CircuitOpen, "Upstream \"openai\" fails"
	}))
	got, _ := json.Marshal(r.After(0))
	for _, secret := range []string{"abcdefghijkl", "sk-secret", "prompt"} {
		if strings.Contains(string(got), secret) {
			t.Errorf("%q is in %s", secret, got)
		}
	}
	if all := r.After(0); all[0].ErrorCode != "bad" || all[1].Error != "Upstream \"openai\" fails" {
		t.Errorf("got %+v", all)
	}
}

func TestRecorder_KeepsTheLastAndTheTroubledBeforeThem(t *testing.T) {
	t.Parallel()
	r := New(start)
	for i := 1; i <= 5*Kept; i++ {
		r.Span(fmt.Sprint(i), observe.Span{Kind: observe.SpanAttempt, Start: at(i), End: at(i)})
		r.Done(event(fmt.Sprint(i), func(e *observe.Event) {
			if i%5 == 0 {
				e.Result.Attempts = 2
			}
		}))
	}
	got := r.After(0)
	if len(got) != Kept+KeptTroubled {
		t.Fatalf("%d are kept, want %d", len(got), Kept+KeptTroubled)
	}
	for i, q := range got {
		want := 5*Kept - Kept - 5*(KeptTroubled-i-1) // every fifth, the last of them just before the others
		if i >= KeptTroubled {
			want = 4*Kept + i - KeptTroubled + 1
		}
		if q.ID != fmt.Sprint(want) || int(q.Seq) != want || len(q.Spans) != 1 || q.Spans[0].At != Millis(want) {
			t.Fatalf("at %d: %+v, want %d with its own span", i, q, want)
		}
	}
	if got := ids(r.After(5*Kept - 2)); !reflect.DeepEqual(got, []string{"999", "1000"}) {
		t.Errorf("after %d: %v", 5*Kept-2, got)
	}
	if got := r.After(5 * Kept); got != nil {
		t.Errorf("after the last one: %v", got)
	}
}

func TestRecorder_IsBounded(t *testing.T) {
	t.Parallel()
	r := New(start)
	long := strings.Repeat("x", 1<<10)
	for i := range 2 * MaxPending { // requests that never end
		for range 2 * MaxSpans {
			r.Span(fmt.Sprint(i), observe.Span{Kind: observe.SpanAttempt})
		}
	}
	inOrder := 0
	for p := r.pending.newest; p != nil; p = p.older {
		inOrder++
	}
	if n := len(r.pending.byID); n != MaxPending || inOrder != n || r.pending.oldest.older != nil {
		t.Errorf("%d requests have spans, %d in order, want %d", n, inOrder, MaxPending)
	}
	for i := range 2 * MaxPending {
		r.Done(event(fmt.Sprint(i), func(e *observe.Event) {
			if i < 2*MaxPending-Kept-KeptTroubled {
				return
			}
			e.Call.Path, e.Call.Method, e.Call.Facts.Model, e.Call.CallerLabel, e.Sent = "/"+long, long, long, long, long+"y"
			e.Result.Local, e.Result.Failover, e.Result.UpstreamID = apierror.CircuitOpen, long, long
			e.Result.ErrorType, e.Result.ErrorCode, e.Result.ErrorParam, e.Result.ErrorMessage = long, long, long, long
		}))
	}
	got := r.After(0)
	if last := got[len(got)-1]; len(last.Spans) != MaxSpans || last.More != MaxSpans {
		t.Errorf("the last has %d spans and %d more, want %d of each", len(last.Spans), last.More, MaxSpans)
	}
	if len(r.pending.byID) != 0 || len(r.pending.free) > freeMost {
		t.Errorf("%d requests have spans, %d entries are kept", len(r.pending.byID), len(r.pending.free))
	}
	for _, q := range got {
		q.Spans = nil
		text, _ := json.Marshal(q)
		if most := 2 << 10; len(text) > most {
			t.Fatalf("a request takes %d bytes: %s", len(text), text)
		}
	}
}

func TestRecorder_CountsWhatWasSaved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(*observe.Event)
		want Saved
	}{
		"a success at once":       {nil, Saved{}},
		"a success after a retry": {func(e *observe.Event) { e.Result.Attempts = 2 }, Saved{FailuresPrevented: 1}},
		"a failover":              {func(e *observe.Event) { e.Result.Failover = "a=breaker" }, Saved{FailuresPrevented: 1}},
		"a resumed stream":        {func(e *observe.Event) { e.Result.Resumes = 1 }, Saved{FailuresPrevented: 1}},
		"a failure after a retry": {func(e *observe.Event) { e.Result.Attempts, e.Result.Verdict.Outcome = 2, classify.OutcomeFailed }, Saved{}},
		"a cached refusal":        {func(e *observe.Event) { e.Result.Source, e.Result.Attempts = call.SourceTripped, 0 }, Saved{CallsNotMade: 1}},
		"a replay":                {func(e *observe.Event) { e.Result.Source = call.SourceReplay }, Saved{CallsNotMade: 1}},
		"turned away before any attempt": {func(e *observe.Event) {
			e.Result.Source, e.Result.Local, e.Result.Attempts = call.SourceLocal, apierror.LocalRateLimit, 0
		}, Saved{CallsNotMade: 1}},
		"turned away after an attempt": {func(e *observe.Event) {
			e.Result.Source, e.Result.Local = call.SourceLocal, apierror.CircuitOpen
		}, Saved{}},
		"a mistake of the caller": {func(e *observe.Event) {
			e.Result.Source, e.Result.Local, e.Result.Attempts = call.SourceLocal, apierror.BadRequest, 0
		}, Saved{}},
		"a wait":                    {func(e *observe.Event) { e.Result.Queue = 1500 * time.Millisecond }, Saved{Queued: 1, QueueSeconds: 1.5}},
		"a call without its caller": {func(e *observe.Event) { e.Alone, e.Result.Attempts = true, 2 }, Saved{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := New(start)
			r.Done(event("a", tt.edit))
			if got := r.Totals().Saved; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRecorder_CountsStreams(t *testing.T) {
	t.Parallel()
	r := New(start)
	for range 3 {
		r.Begin(observe.SpanStream, "openai")
	}
	r.Begin(observe.SpanQueue, "openai")
	r.Span("a", observe.Span{Kind: observe.SpanStream, Reason: "completed"})
	r.Span("b", observe.Span{Kind: observe.SpanStream, Reason: "interrupted"})
	r.Span("c", observe.Span{Kind: observe.SpanResume, Reason: "resumed"})
	r.Span("c", observe.Span{Kind: observe.SpanResume, Reason: "refused"})
	want := Streams{Open: 1, Ended: map[string]int{"completed": 1, "interrupted": 1}, Resumed: 1}
	if got := r.Totals().Streams; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func BenchmarkRecorder(b *testing.B) {
	r := New(start)
	e := event("a", nil)
	b.ReportAllocs()
	for b.Loop() {
		r.Span("a", observe.Span{Kind: observe.SpanHold, Lane: "openai", Start: start, End: start})
		r.Span("a", observe.Span{Kind: observe.SpanAttempt, Lane: "openai", Reason: "final", Start: start, End: start})
		r.Done(e)
	}
}
