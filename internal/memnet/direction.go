package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// direction is what is under way from one end to the other.
type direction struct {
	mu      sync.Mutex
	parts   []part
	last    time.Time // when the latest part arrives
	ended   bool      // by the writer: EOF after the parts
	dropped bool      // by the reader: nothing is read or written any more
	expiry  time.Time // of reads
	changed chan struct{}
}

// part is what one write sent. An empty one is the end.
type part struct {
	at   time.Time
	data []byte
}

func newDirection() *direction { return &direction{changed: make(chan struct{})} }

// signal wakes the reader. Locked.
func (d *direction) signal() {
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *direction) write(p []byte, delay time.Duration) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return 0, net.ErrClosed
	}
	if d.dropped {
		return 0, io.ErrClosedPipe
	}
	if len(p) == 0 {
		return 0, nil
	}
	d.put(append([]byte(nil), p...), delay)
	return len(p), nil
}

// put sends a part, which does not overtake the one before. Locked.
func (d *direction) put(data []byte, delay time.Duration) {
	at := time.Now().Add(delay)
	if at.Before(d.last) {
		at = d.last
	}
	d.last = at
	d.parts = append(d.parts, part{at, data})
	d.signal()
}

func (d *direction) end(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.put(nil, delay)
		d.ended = true
	}
}

func (d *direction) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped, d.parts = true, nil
	d.signal()
}

func (d *direction) expire(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expiry = t
	d.signal()
}

// read waits for bytes, the end, or the deadline.
func (d *direction) read(p []byte) (int, error) {
	for {
		l := d.look(p)
		if l.done {
			return l.n, l.err
		}
		if l.wait == 0 {
			<-l.changed
			continue
		}
		timer := time.NewTimer(l.wait)
		select {
		case <-l.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look is what a reader finds: a result if done, else when to look again, which is
// after wait, unless that is 0, or when changed is closed.
type look struct {
	done    bool
	n       int
	err     error
	wait    time.Duration
	changed <-chan struct{}
}

func (d *direction) look(p []byte) look {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	switch {
	case d.dropped:
		return look{done: true, err: net.ErrClosed}
	case !d.expiry.IsZero() && !now.Before(d.expiry):
		return look{done: true, err: os.ErrDeadlineExceeded}
	case len(p) == 0:
		return look{done: true}
	case len(d.parts) > 0 && !now.Before(d.parts[0].at):
		return d.take(p)
	}
	l := look{changed: d.changed}
	if len(d.parts) > 0 {
		l.wait = d.parts[0].at.Sub(now)
	}
	if left := d.expiry.Sub(now); !d.expiry.IsZero() && (l.wait == 0 || left < l.wait) {
		l.wait = left
	}
	return l
}

// take reads from the first part. The end stays where it is. Locked.
func (d *direction) take(p []byte) look {
	first := &d.parts[0]
	if len(first.data) == 0 {
		return look{done: true, err: io.EOF}
	}
	n := copy(p, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		d.parts = d.parts[1:]
	}
	return look{done: true, n: n}
}
