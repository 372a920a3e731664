package status

import (
	"cmp"

	"outrigger/policy"
	"outrigger/policy/verdict"
	"outrigger/proxy/admission"
	"outrigger/proxy/recent"
)

// facts is what the verdict on s rests on, and on how many of the last requests failed.
func (s *Status) facts(failing map[string]recent.Failing) verdict.Facts {
	f := verdict.Facts{Draining: s.Draining, DrainSince: s.DrainSince, DrainEnd: s.DrainEnd, Inflight: s.Inflight, Requests: s.Totals.Requests}
	if !s.Idempotency.Answers {
		f.StoreAway = s.Idempotency.Store
	}
	if s.Fleet != nil && s.Fleet.Degraded {
		f.FleetAway, f.FleetSince = cmp.Or(s.Fleet.Cause, s.Fleet.Reason, "degraded"), s.Fleet.Since
	}
	for i := range s.Upstreams {
		u := s.Upstreams[i].facts()
		u.Failing = verdict.Failing(failing[u.Name])
		f.Upstreams = append(f.Upstreams, u)
	}
	return f
}

func (s *UpstreamStatus) facts() verdict.Upstream {
	u := verdict.Upstream{
		Name: s.Name, Spent: s.Budget == 0, Slots: slots(s.Concurrency),
		Breaker: breaker("", s.Breaker),
	}
	u.Breaker.Since, u.Breaker.Probe, u.Breaker.Waiting = s.Since, s.ProbeAt, s.Waiting
	for _, sc := range s.Scopes {
		b := breaker(sc.Scope, sc.Breaker)
		b.Since, b.Probe, b.Waiting = sc.Since, sc.ProbeAt, sc.Waiting
		u.Scopes = append(u.Scopes, b)
	}
	for _, l := range s.Limits {
		v := verdict.Limit{Queue: l.State.Queue, Paused: l.State.GateUntil, Slots: slots(l.Concurrency)}
		for _, b := range l.State.Buckets {
			v.Buckets = append(v.Buckets, verdict.Bucket{Dimension: b.Dimension, Limit: b.Limit, Window: b.Window, Source: b.Source.String(), Remaining: b.Remaining})
		}
		u.Limits = append(u.Limits, v)
	}
	for _, t := range s.Trips {
		u.Refusals = append(u.Refusals, verdict.Refusal{Credential: t.Credential, Model: t.Model, Outcome: t.Outcome, Since: t.First, Probe: t.Until})
	}
	for _, t := range s.Streaks {
		u.Refusals = append(u.Refusals, verdict.Refusal{Credential: t.Credential, Model: t.Model, Outcome: t.Outcome, Streak: true, Since: t.Since, Probe: t.Until})
	}
	return u
}

func breaker(scope, state string) verdict.Breaker {
	return verdict.Breaker{Scope: scope, Open: state == policy.Open.String(), Probing: state == policy.HalfOpen.String()}
}

func slots(c admission.ConcurrencyStatus) verdict.Slots {
	return verdict.Slots{Limit: c.Limit, Running: c.Running, Queue: c.Queue, Source: c.Source}
}
