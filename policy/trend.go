package policy

import (
	"sync/atomic"
	"time"
)

// trendTime is how long a recovery is remembered, and how long after a failure a
// success is one.
const trendTime = time.Minute

// Trend tells an upstream that is ill, which answers now and then, from one that is
// down: for the first soon retries pay, for the second they are only more load. The
// zero value knows of nothing. Safe for concurrent use.
type Trend struct{ failed, succeeded, recovered atomic.Int64 } // Unix nanoseconds; 0: never

// Note enters the outcome of an attempt.
func (t *Trend) Note(now time.Time, success bool) {
	at := now.UnixNano()
	if !success {
		t.failed.Store(at)
		return
	}
	t.succeeded.Store(at)
	if failed := t.failed.Load(); failed != 0 && failed > t.recovered.Load() && at-failed < int64(trendTime) {
		t.recovered.Store(at)
	}
}

// Ill reports whether a success has followed a failure within the last minute.
func (t *Trend) Ill(now time.Time) bool {
	recovered := t.recovered.Load()
	return recovered != 0 && now.UnixNano()-recovered < int64(trendTime)
}

// IllSince reports whether there was a success after that time, and a failure after that
// one: neither an outage nor its end.
func (t *Trend) IllSince(at time.Time) bool {
	succeeded := t.succeeded.Load()
	return succeeded > at.UnixNano() && t.failed.Load() > succeeded
}

// SucceededAfter reports whether there was a success after that time.
func (t *Trend) SucceededAfter(at time.Time) bool { return t.succeeded.Load() > at.UnixNano() }
