package stream

import (
	"sync"
	"time"

	"outrigger/proxy/apierror"
)

// doneTime is how long a stream whose answer is whole may stay open for what some
// upstreams send after it: usage, or a [DONE] where there need be none. Each event that
// says something new begins it anew, and what only keeps the connection open does not:
// some gateways send pings for ever (maximhq/bifrost 2.1, waybarrios/vllm-mlx#101).
const doneTime = 10 * time.Second

// silence bounds how long one read may take, again and again. A timer that is set and stopped
// for each event would cost more than all else that is done for it, so this one is set again
// only when it fires too early. Safe for concurrent use.
type silence struct {
	ring  func() // is called when a read has taken too long
	mu    sync.Mutex
	until time.Time // when the present read has taken too long; zero while there is none
	rings time.Time // when the timer fires; zero while it does not run
	timer *time.Timer
}

// begin bounds a read that begins now to d.
func (s *silence) begin(d time.Duration) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = now.Add(d)
	switch {
	case s.timer == nil:
		s.timer = time.AfterFunc(d, s.look)
	case s.rings.IsZero() || s.until.Before(s.rings):
		s.timer.Reset(d)
	default:
		return
	}
	s.rings = s.until
}

// end says that the read is over.
func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// stop says that there will be no other.
func (s *silence) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
	if s.timer != nil {
		s.timer.Stop()
	}
}

// look rings if a read has taken too long.
func (s *silence) look() {
	if s.over() {
		s.ring()
	}
}

func (s *silence) over() bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rings = time.Time{}
	if s.until.IsZero() {
		return false
	}
	if left := s.until.Sub(now); left > 0 {
		s.rings = s.until
		s.timer.Reset(left)
		return false
	}
	return true
}

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
	if idle > 0 && !s.a.Held.Ready() {
		s.silence.begin(idle)
	}
}

// silent ends an answer in which nothing comes.
func (s *answer) silent() { s.a.Cancel(apierror.ErrStreamIdle) }

// over reports whether nothing that matters can come any more.
func (s *answer) over() bool {
	if !s.saidAll() {
		return false
	}
	w := s.watcher()
	_, failed := w.Error()
	return failed || w.Settled()
}
