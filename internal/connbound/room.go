package connbound

import (
	"container/list"
	"time"
)

// least is the grace while more connections wait than Options.Grace makes room for. It is
// longer than net/http takes from reading a request's head to State, and than a TLS handshake
// over a region's network takes between two reads.
const least = 50 * time.Millisecond

// isFull reports whether no further connection may be taken. Locked.
func (l *Listener) isFull() bool {
	return l.fresh.Len()+l.idle.Len()+l.busy.Len() >= l.options.Most
}

// makeRoom waits until lacks is false, or one connection was idle for its grace and is closed,
// or the listener is. lacks is called under the lock, at every change, and every poll if that
// is not 0.
//
// A burst of callers over the bound waits for the whole grace. If that is over and one still
// waits, the others are taken to be idle for good: from then on all have only least, until
// nobody has waited for a while.
func (l *Listener) makeRoom(lacks func() bool, poll time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var since time.Time // of the wait for one that is idle
	for !l.closed && lacks() {
		c, left := l.due()
		if c != nil {
			if !since.IsZero() || l.isPressed() {
				l.pressed = time.Now()
			}
			l.shut(c)
			return
		}
		switch now := time.Now(); {
		case left < 0:
			since = time.Time{}
		case since.IsZero():
			since = now
		case now.Sub(since) >= l.options.Grace:
			l.pressed = now
		}
		if left > 0 {
			left = min(left, max(l.options.Grace-time.Since(since), least))
		}
		l.wait(left, poll)
	}
}

// makeRoomNow closes a connection if there is no room: an idle one, or else the oldest that is in use.
func (l *Listener) makeRoomNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isFull() {
		l.shutAny()
	}
}

// relieve gives the descriptor of an old connection back, and reports whether there was one.
func (l *Listener) relieve() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.options.Short {
		return l.shutAny()
	}
	c, _ := l.due()
	if c != nil {
		l.shut(c)
	}
	return c != nil
}

// shutAny closes the connection that is the least loss, and reports whether there is one. Locked.
func (l *Listener) shutAny() bool {
	c, _ := l.due()
	for _, in := range []*list.List{&l.busy, &l.fresh, &l.idle} {
		if c == nil && in.Len() > 0 {
			c = in.Front().Value.(*conn)
		}
	}
	if c != nil {
		l.shut(c)
	}
	return c != nil
}

// shut closes c for another one. Locked.
//
// A request that is under way at that moment is lost. It has not reached this machine, or due
// had seen it, so nothing was done of it, and its caller may send it again. It is why those go
// first that never asked: a request over a new connection has mostly come with it.
func (l *Listener) shut(c *conn) {
	l.drop(c)
	_ = c.Conn.Close()
}

// due returns the connection to close for another one, or nil and how long it takes until
// there is one, negative if none is idle. Locked.
func (l *Listener) due() (*conn, time.Duration) {
	soonest := time.Duration(-1)
	for _, in := range []*list.List{&l.fresh, &l.idle} {
		left := l.leftOf(in)
		if left == 0 {
			return in.Front().Value.(*conn), 0
		}
		if left > 0 && (soonest < 0 || left < soonest) {
			soonest = left
		}
	}
	return nil, soonest
}

// leftOf returns what is left of the grace of the first in a list, negative if that is empty. One
// to which a request has come that was not read yet, on a machine that is too busy, is not idle. Locked.
func (l *Listener) leftOf(in *list.List) time.Duration {
	grace := l.grace()
	for range in.Len() {
		c := in.Front().Value.(*conn)
		if left := grace - time.Since(c.since); left > 0 {
			return left
		}
		if !isPending(c.Conn) {
			return 0
		}
		l.renew(c)
	}
	if in.Len() == 0 {
		return -1
	}
	return least
}

// grace is how long a connection stays at the least. Locked.
func (l *Listener) grace() time.Duration {
	switch {
	case l.options.Short:
		return 0
	case l.isPressed():
		return min(least, l.options.Grace)
	}
	return l.options.Grace
}

// isPressed reports whether lately the whole grace did not make room for all. Locked.
func (l *Listener) isPressed() bool {
	return !l.pressed.IsZero() && time.Since(l.pressed) < l.options.Grace
}

// wait waits for a change, and no longer than for left or poll, if they are positive. Locked.
func (l *Listener) wait(left, poll time.Duration) {
	if poll > 0 && (left <= 0 || poll < left) {
		left = poll
	}
	if left > 0 {
		defer time.AfterFunc(left, l.room.Broadcast).Stop()
	}
	l.room.Wait()
}
