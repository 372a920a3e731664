package idempotency

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
func (s *Calls) depart(x *Caller, f *Flight, reader *recording.Reader, delivered bool) {
	reader.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside--
	first := f.first == x
	if f.over {
		x.Adopt(f.call, first)
		if first {
			x.Record.Idempotency = f.result
		}
	}
	if first {
		f.first = nil
	}
	switch {
	case f.rejoin:
		s.abandon(f, delivered)
		if !first && delivered {
			_ = s.result(x, resultRejoined, nil)
		}
		return
	case !first && delivered:
		_ = s.result(x, resultWaited, nil)
	}
	switch {
	case f.inside > 0 || f.over:
	case !s.Detached.enter(&f.apart):
		s.count(resultCrowded)
		f.life.Cancel(errCrowded)
	default:
		// Its deadline holds until the answer begins; this is for what comes after.
		f.expire(time.Until(f.start.Add(time.Duration(s.total.Load()))), func() { f.life.Cancel(errUnclaimed) })
	}
}

// expire calls end after d, unless a caller comes before. Locked.
func (f *Flight) expire(d time.Duration, end func()) {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.timer = time.AfterFunc(d, end)
}
