package body

import (
	"sync/atomic"
	"time"
)

// Motion is when bytes of a request's body moved. The call that is made apart from its
// caller shares it. Safe for concurrent use.
type Motion struct {
	Start  time.Time
	Last   atomic.Int64 // when the caller's last byte came, after start
	Moving atomic.Int64 // for how long bytes went on to upstreams
}

// Came notes that bytes of the caller came.
func (m *Motion) Came(now time.Time) { m.Last.Store(int64(now.Sub(m.Start))) }

// went notes that bytes were on their way to an upstream for d.
func (m *Motion) went(d time.Duration) { m.Moving.Add(int64(d)) }
