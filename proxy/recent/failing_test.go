package recent

import (
	"testing"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/explain"
	"outrigger/proxy/observe"
)

func TestFailing_CountsTheLastMinuteByUpstream(t *testing.T) {
	t.Parallel()
	r := New(start)
	done := func(after time.Duration, upstream string, edit func(*call.Result)) {
		r.Done(event("a", func(e *observe.Event) {
			e.Call.Start, e.End, e.Upstream = start.Add(after), start.Add(after+10*time.Second), upstream
			if edit != nil {
				edit(e.Result)
			}
		}))
	}
	cut := func(q *call.Result) { q.Outcome = call.OutcomeInterrupted }
	ill := func(q *call.Result) { q.Outcome, q.Verdict.Outcome, q.Status = "", classify.OutcomeFailed, 500 }
	done(0, "openai", cut) // ends at 10 s: too long ago
	for range 3 {
		done(20*time.Second, "openai", ill)
		done(20*time.Second, "openai", nil)
	}
	done(20*time.Second, "openai", cut)
	done(20*time.Second, "openai", func(q *call.Result) { q.Outcome = call.OutcomeCanceled })
	done(20*time.Second, "openai", func(q *call.Result) { q.Source = call.SourceTripped })
	done(20*time.Second, "openai", func(q *call.Result) { q.Outcome, q.Verdict.Outcome, q.Status = "", classify.OutcomeRejected, 400 })
	done(20*time.Second, "azure", cut)
	done(20*time.Second, "", func(q *call.Result) { q.Outcome, q.Local, q.Source = "", apierror.BadRequest, call.SourceLocal })
	got := r.Failing(start.Add(80 * time.Second))
	want := map[string]Failing{"openai": {4, 10, "failed"}, "azure": {1, 1, "interrupted"}, "": {0, 1, ""}}
	for upstream, f := range want {
		if got[upstream] != f {
			t.Errorf("%q: got %+v, want %+v", upstream, got[upstream], f)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestFailing_EachOutcomeIsOne(t *testing.T) {
	t.Parallel()
	for outcome := range faults {
		if _, ok := explain.Table()["outcome"][outcome]; !ok {
			t.Errorf("%q is no outcome", outcome)
		}
	}
}
