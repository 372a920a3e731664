package proxy

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
)

func testBreaker() policy.BreakerConfig {
	c := DefaultConfig().Breaker
	c.Consecutive = 10
	return c
}

// memory counts what is reserved of it.
type memory struct{ most, used int64 }

func (m *memory) Reserve(n int64) bool {
	if m.used+n > m.most {
		return false
	}
	m.used += n
	return true
}

func (m *memory) Free(n int64) { m.used -= n }

// learns is what limits are unless they are configured.
var learns = limit.Settings{Learn: true, QueueMax: 10_000}

// credentialOf is one of many.
func credentialOf(i int) carrier.Credential {
	return carrier.Credential{byte(i), byte(i >> 8), byte(i >> 16)}
}

// enters takes a place for a request, and enters it.
func enters(ls *admission.Queues, key admission.Key, now time.Time) *admission.Ticket {
	pl := &admission.Ticket{}
	pl.Take(ls.Take(key, key.Model != "", now), limit.Waiter{Tokens: 1})
	pl.Taken = true
	pl.Line.Enter(pl, now)
	return pl
}

// end gives a place up.
func end(pl *admission.Ticket, now time.Time) {
	pl.Leave(now)
	pl.Free(now)
}

// calls makes a whole call, that proves its model or is rejected.
func calls(ls *admission.Queues, key admission.Key, now time.Time, exists bool) {
	pl := enters(ls, key, now)
	pl.Sent(now, pl.Turn)
	if exists {
		ls.Prove(pl.Line, now)
		pl.Answered(now, limit.Told{Headers: limit.Headers{Readings: []limit.Reading{{Dimension: "requests", Limit: 1000, Remaining: 999, Reset: time.Second}}}})
	} else {
		pl.Rejected(now)
	}
	end(pl, now)
}
