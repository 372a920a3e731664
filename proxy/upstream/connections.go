package upstream

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Bounds of the time that connections are kept for.
const (
	// keptAge is the greatest age of kept connections, less up to keptJitter of it: what a
	// name stands for is looked up when one is opened (golang/go#23427).
	keptAge    = 5 * time.Minute
	keptJitter = 2 * time.Minute
	// failuresRenew is how many failures in a row have them closed before, and renewGap how
	// long after that more may, doubled each time up to renewGapMost: an upstream that is
	// ill, and not gone, is not to make handshakes all the time.
	failuresRenew = 2
	renewGap      = time.Second
	renewGapMost  = time.Minute
)

// renewal is the state of an upstream's kept connections. A transport knows no greatest
// age, and closing a connection by its age from outside could meet a request that is just
// being given it. So the whole transport is replaced: requests that run end where they are,
// and each connection is closed when its own have ended.
type renewal struct {
	mu     sync.Mutex
	old    []*http.Transport    // of the generation before
	http1  [2]http.RoundTripper // pooled and fresh, for HTTP/1.1 only; nil until they are needed
	due    time.Time            // by age
	failed int                  // in a row
	gap    time.Duration        // after the last one for failures
	after  time.Time            // no other one for failures before
}

// Transport picks the connections for an attempt: kept ones, or for creates and others that
// want so, over HTTP/1.1, one of its own.
func (u *Connections) Transport(own, http1 bool, now time.Time) http.RoundTripper {
	r := &u.renewal
	r.mu.Lock()
	if r.due.IsZero() {
		r.due = now.Add(keptAge - rand.N(keptJitter))
	}
	var idle []*http.Transport
	if !now.Before(r.due) {
		idle = u.renew(now)
	}
	t := u.choose(own, http1)
	r.mu.Unlock()
	closeIdle(idle)
	return t
}

// choose is transport under the lock.
func (u *Connections) choose(own, http1 bool) http.RoundTripper {
	if !http1 {
		if own && !u.HTTP2.Load() {
			return u.Fresh
		}
		return u.Pooled
	}
	i, from := 0, u.Pooled
	if own {
		i, from = 1, u.Fresh
	}
	if u.renewal.http1[i] == nil {
		u.renewal.http1[i] = speakingHTTP1(from)
	}
	return u.renewal.http1[i]
}

// renew has all later attempts open connections of their own, and returns the transports
// whose idle ones are to be closed. Locked.
func (u *Connections) renew(now time.Time) []*http.Transport {
	r := &u.renewal
	before := r.old
	r.old = nil
	for _, t := range [...]http.RoundTripper{u.Pooled, r.http1[0]} {
		if t, ok := t.(*http.Transport); ok {
			r.old = append(r.old, t)
		}
	}
	if t, ok := u.Pooled.(*http.Transport); ok {
		u.Pooled = t.Clone()
	}
	r.http1 = [2]http.RoundTripper{}
	r.due = now.Add(keptAge - rand.N(keptJitter))
	u.HTTP2.Store(false) // another host may answer there now
	return append(before, r.old...)
}

// closeIdle closes connections: those that have no request now, and over HTTP/1.1 each
// other one when its own has ended.
func closeIdle(all []*http.Transport) {
	for _, t := range all {
		t.CloseIdleConnections()
	}
}

// Fared takes in how an attempt ended: after failures the connections are renewed, for the
// name may stand for another host by now.
func (u *Connections) Fared(now time.Time, failed bool) {
	r := &u.renewal
	r.mu.Lock()
	if !failed {
		r.failed = 0
		r.mu.Unlock()
		return
	}
	var idle []*http.Transport
	if r.failed++; r.failed >= failuresRenew && !now.Before(r.after) {
		if now.Sub(r.after) > renewGapMost { // the last time is long ago
			r.gap = 0
		}
		r.gap = min(max(2*r.gap, renewGap), renewGapMost)
		r.failed, r.after = 0, now.Add(r.gap)
		idle = u.renew(now)
	}
	r.mu.Unlock()
	closeIdle(idle)
}

// CloseConnections closes all that are idle.
func (u *Connections) CloseConnections() {
	r := &u.renewal
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range [...]http.RoundTripper{u.Pooled, u.Fresh, r.http1[0], r.http1[1]} {
		if idle, ok := t.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	}
	closeIdle(r.old)
}
