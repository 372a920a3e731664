package observe

import (
	"sync"
	"time"
)

const (
	// changeEach is how often one kind of change of one subject is told, after changeBurst at
	// once: what goes and comes back is then told of in both.
	changeEach  = 10 * time.Second
	changeBurst = 2
	// mostSubjects bounds the subjects that are told apart: callers choose credentials and
	// models. Beyond it, those of one kind are taken for one.
	mostSubjects = 1024
)

// changeLimit lets a few changes of state through, and of what flaps the latest now and then.
// It costs nothing while nothing changes. The zero value is not usable; safe for concurrent use.
type changeLimit struct {
	tell func(Notice)

	mu    sync.Mutex
	known map[changeKey]*changeTold
}

type changeKey struct {
	kind    ChangeKind
	subject string
}

// changeTold is what was told of one subject.
type changeTold struct {
	free   time.Time // by then all of changeBurst may be told again
	latest Notice    // that was not told
	left   int       // how many were not told
	timer  *time.Timer
}

func newChangeLimit(tell func(Notice)) *changeLimit {
	return &changeLimit{tell: tell, known: map[changeKey]*changeTold{}}
}

// add tells n, now or later, or counts it.
func (c *changeLimit) add(n Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	key := changeKey{n.Kind, n.Subject}
	t := c.known[key]
	if t == nil {
		if len(c.known) >= mostSubjects {
			c.makeRoom(now)
		}
		if len(c.known) >= mostSubjects {
			key.subject = ""
		}
		if t = c.known[key]; t == nil {
			t = &changeTold{}
			c.known[key] = t
		}
	}
	if t.timer == nil && t.take(now) {
		c.tell(n.with(0))
		return
	}
	t.latest = n
	t.left++
	if t.timer == nil {
		t.timer = time.AfterFunc(t.free.Sub(now)-(changeBurst-1)*changeEach, func() { c.late(t) })
	}
}

// take reports whether one more may be told now, and counts it.
func (t *changeTold) take(now time.Time) bool {
	if t.free.Before(now) {
		t.free = now
	}
	if t.free.Sub(now) > (changeBurst-1)*changeEach {
		return false
	}
	t.free = t.free.Add(changeEach)
	return true
}

// late tells the latest of those that were not told.
func (c *changeLimit) late(t *changeTold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.timer = nil
	t.take(time.Now())
	c.tell(t.latest.with(t.left - 1))
	t.latest, t.left = Notice{}, 0
}

// makeRoom forgets the subjects of which nothing is to be told and little was. Locked.
func (c *changeLimit) makeRoom(now time.Time) {
	for key, t := range c.known {
		if t.timer == nil && !t.free.After(now) {
			delete(c.known, key)
		}
	}
}
