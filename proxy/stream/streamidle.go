package stream

import (
	"time"

	"outrigger/proxy/apierror"
)

// doneTime is how long a stream whose answer is whole may stay open for what some
// upstreams send after it: usage, or a [DONE] where there need be none. Each event that
// says something new begins it anew, and what only keeps the connection open does not:
// some gateways send pings for ever (maximhq/bifrost 2.1, waybarrios/vllm-mlx#101).
const doneTime = 10 * time.Second

// arm bounds the upstream's silence, and its noise once nothing is missing.
func (s *answer) arm() {
	idle := s.idle
	if s.over() {
		if told := s.watcher().Told(); s.overAt.IsZero() || told != s.told {
			s.overAt, s.told = time.Now().Add(doneTime), told
		}
		left := max(time.Until(s.overAt), 1)
		if idle <= 0 || idle > left {
			idle = left
		}
	}
	switch {
	case idle <= 0 || s.a.Held.Ready():
	case s.timer == nil:
		s.timer = time.AfterFunc(idle, func() { s.a.Cancel(apierror.ErrStreamIdle) })
	default:
		s.timer.Reset(idle)
	}
}

// over reports whether nothing that matters can come any more.
func (s *answer) over() bool {
	if !s.saidAll() {
		return false
	}
	w := s.watcher()
	_, failed := w.Error()
	return failed || w.Settled()
}

func (s *answer) disarm() {
	if s.timer != nil {
		s.timer.Stop()
	}
}
