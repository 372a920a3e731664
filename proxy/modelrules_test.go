package proxy

import (
	"fmt"
	"time"
)

// modelRules are the promises of the loop, each by its name. A rule says of a call what is wrong
// with it, "" for nothing.
var modelRules = []struct {
	name string
	rule func(r *modelRun, i int) string
}{
	{"a create is carried out at most once", (*modelRun).onceDone},
	{"so many attempts at an upstream as there are retries, and one", (*modelRun).attemptsBounded},
	{"one attempt at a time, and none after the answer", (*modelRun).oneAtATime},
	{"no attempt once the caller has left", (*modelRun).noneAfterLeaving},
	{"an answer, or an error, before the deadline", (*modelRun).inTime},
	{"a named wait is kept", (*modelRun).hintsKept},
	{"no more attempts at once than are allowed", (*modelRun).inflightBounded},
	{"without failover the second upstream is left alone", (*modelRun).noFailover},
	{"the answer is the upstream's bytes, or a typed error", (*modelRun).answered},
	{"a create that may have been carried out is told so", (*modelRun).lossTold},
	{"attempts are counted as they were made", (*modelRun).attemptsTold},
	{"clients are told not to retry what was retried", (*modelRun).retriesSuppressed},
	{"one log line for each request", (*modelRun).logged},
}

// broken returns what of the rules was broken.
func (r *modelRun) broken() []string {
	var all []string
	for i := range r.Calls {
		for _, each := range modelRules {
			if what := each.rule(r, i); what != "" {
				all = append(all, fmt.Sprintf("BROKEN: %s: call %d: %s\n%s", each.name, i, what, r.describe(i)))
			}
		}
	}
	if r.held != "" {
		all = append(all, "BROKEN: all is given back: "+r.held)
	}
	if r.counted != len(r.Calls) {
		all = append(all, fmt.Sprintf("BROKEN: each request is counted once: %d of %d", r.counted, len(r.Calls)))
	}
	return all
}

// describe says what became of a call.
func (r *modelRun) describe(i int) string {
	got := &r.results[i]
	text := fmt.Sprintf("  %+v\n", r.Calls[i])
	for _, a := range r.attempts[i] {
		text += fmt.Sprintf("  attempt %+v\n", *a)
	}
	return text + fmt.Sprintf("  got %d, %v, headers at %v, over at %v, %v\n  %q", got.Status, got.Err, got.Headers, got.Over, got.Header, got.Body)
}

func (r *modelRun) onceDone(i int) string {
	done := 0
	for _, a := range r.attempts[i] {
		if a.Done {
			done++
		}
	}
	if r.Calls[i].Kind == modelCreate && done > 1 {
		return fmt.Sprintf("%d times", done)
	}
	return ""
}

// attemptsBounded counts no refusals for a limit: those wait for it, and are no retries. Each of two
// upstreams has all of them.
func (r *modelRun) attemptsBounded(i int) string {
	s, tries := r.of(&r.Calls[i]), 0
	for n, a := range r.attempts[i] {
		refused := a.Outcome.What == modelStatus429 || a.Outcome.What == modelStatus503 && s.Learn
		if n+1 == len(r.attempts[i]) || !refused {
			tries++
		}
	}
	most := s.Retries + 1
	if len(s.Failover) > 0 {
		most *= 2
	}
	if tries > most {
		return fmt.Sprintf("%d, with %d retries", tries, s.Retries)
	}
	return ""
}

func (r *modelRun) oneAtATime(i int) string {
	for n, a := range r.attempts[i] {
		if n > 0 && a.Began < r.attempts[i][n-1].Over {
			return fmt.Sprintf("attempt %d began before the one before it was over", n+1)
		}
		if got := &r.results[i]; got.Status != 0 && a.Began > got.Headers {
			return fmt.Sprintf("attempt %d came after the answer", n+1)
		}
	}
	return ""
}

func (r *modelRun) noneAfterLeaving(i int) string {
	c := &r.Calls[i]
	for n, a := range r.attempts[i] {
		if c.Leave > 0 && a.Began > c.At+c.Leave {
			return fmt.Sprintf("attempt %d at %v", n+1, a.Began)
		}
	}
	return ""
}

func (r *modelRun) inTime(i int) string {
	c, got := &r.Calls[i], &r.results[i]
	deadline := r.of(c).Total
	if announced := time.Duration(c.Timeout) * time.Second; announced > 0 {
		deadline = min(deadline, announced-time.Nanosecond)
	}
	if c.Leave > 0 && got.Status == 0 {
		return ""
	}
	if got.Status == 0 || got.Headers > c.At+deadline {
		return fmt.Sprintf("at %v, due %v after %v", got.Headers, deadline, c.At)
	}
	return ""
}

func (r *modelRun) hintsKept(i int) string {
	for n, a := range r.attempts[i][:max(0, len(r.attempts[i])-1)] {
		next := r.attempts[i][n+1]
		if a.Sent && a.Outcome.hinted() && next.Upstream == a.Upstream && next.Began < a.Over+a.Outcome.Hint {
			return fmt.Sprintf("attempt %d came %v after one that named %v", n+2, next.Began-a.Over, a.Outcome.Hint)
		}
	}
	return ""
}

// inflightBounded counts who is at the upstream when an attempt of the call arrives. What came
// before a reload may be more than the reload allows, so the larger bound counts.
func (r *modelRun) inflightBounded(i int) string {
	most := r.Before.Inflight
	if r.Reload > 0 && (most != 0 && r.After.Inflight == 0 || r.After.Inflight > most && most != 0) {
		most = r.After.Inflight
	}
	if most == 0 {
		return ""
	}
	for _, a := range r.attempts[i] {
		beside := 0
		if a.Over == a.Began {
			continue // it was over before others came in the same instant
		}
		for j := range r.attempts {
			for _, b := range r.attempts[j] {
				if b != a && b.Upstream == a.Upstream && b.Began <= a.Began && (b.Over < 0 || b.Over > a.Began) {
					beside++
				}
			}
		}
		if beside >= most {
			return fmt.Sprintf("at %v there were %d others, of %d", a.Began, beside, most)
		}
	}
	return ""
}

func (r *modelRun) noFailover(i int) string {
	s := r.of(&r.Calls[i])
	first := 0
	if s.Swapped {
		first = 1
	}
	for _, a := range r.attempts[i] {
		if len(s.Failover) == 0 && a.Upstream != first {
			return "the other upstream got it"
		}
	}
	return ""
}
