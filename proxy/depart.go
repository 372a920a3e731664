package proxy

import (
	"errors"
	"time"

	"outrigger/proxy/idempotency/recording"
)

// errUnclaimed ends a call whose callers left, when nobody has come back for it.
var errUnclaimed = errors.New("nobody came back for the call")

// errCrowded ends a call whose callers left when too many go on without theirs.
var errCrowded = errors.New("too many calls go on without their callers")

// depart is a caller's leaving, with the whole answer or without. The last one's
// decides how long the call goes on.
func (p *Proxy) depart(x *exchange, f *flight, reader *recording.Reader, delivered bool) {
	reader.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside--
	first := f.first == x
	if f.over {
		x.adopt(f, first)
	}
	if first {
		f.first = nil
	}
	switch {
	case f.call.identity.rejoin:
		p.abandon(f, delivered)
		if !first && delivered {
			_ = p.result(x, resultRejoined, nil)
		}
		return
	case !first && delivered:
		_ = p.result(x, resultWaited, nil)
	}
	switch {
	case f.inside > 0 || f.over:
	case !p.detached.enter(&f.apart):
		p.idempotency.count(resultCrowded)
		f.call.cancel(errCrowded)
	default:
		// Its deadline holds until the answer begins; this is for what comes after.
		f.expire(time.Until(f.call.start.Add(p.config.Timeouts.Total)), func() { f.call.cancel(errUnclaimed) })
	}
}

// expire calls end after d, unless a caller comes before. Locked.
func (f *flight) expire(d time.Duration, end func()) {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.timer = time.AfterFunc(d, end)
}

// adopt takes what f's call, which is over, found out into x's own record. The record
// of the caller that the call was made for is the call's.
func (x *exchange) adopt(f *flight, first bool) {
	mine, r := x.record, &f.call.record
	if first {
		x.record, x.facing = *r, f.call.facing
		x.record.status, x.record.first, x.record.bytesOut = mine.status, mine.first, mine.bytesOut
		x.record.idempotency = f.result
	} else {
		x.record.verdict, x.record.outcome, x.record.reason = r.verdict, r.outcome, r.reason
		x.record.errorType, x.record.errorCode = r.errorType, r.errorCode
		x.record.errorParam, x.record.errorMessage = r.errorParam, r.errorMessage
	}
	if mine.outcome != "" {
		x.record.outcome = mine.outcome
	}
}
