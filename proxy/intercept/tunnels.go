package intercept

import (
	"sync"
	"time"
)

const (
	// maxTunnels bounds the blind tunnels at once: an app has a few, to each host
	// that it talks to.
	maxTunnels = 1024
	// tunnelIdle is the longest silence in one: over what clients keep an idle
	// connection for, and over the silence before a slow answer.
	tunnelIdle = 10 * time.Minute
	// busy is how recently bytes must have moved for a drain to wait for a tunnel:
	// an idle connection that a client keeps is not waited for.
	busy = 5 * time.Second
)

// tunnels are the blind tunnels that are open. Safe for concurrent use.
type tunnels struct {
	mu     sync.Mutex
	open   map[*tunnel]struct{}
	coming int // being dialled
	over   bool
	tasks  sync.WaitGroup
}

// room takes a place for one more tunnel, which add or giveUp must be called for.
func (t *tunnels) room() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || len(t.open)+t.coming >= maxTunnels {
		return false
	}
	t.coming++
	t.tasks.Add(1)
	return true
}

// giveUp gives back a place.
func (t *tunnels) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.coming--
	t.tasks.Done()
}

// add lets n stand for the place that was taken, until remove.
func (t *tunnels) add(n *tunnel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.coming--
	t.open[n] = struct{}{}
	if t.over {
		n.cut.Store(true)
		n.close()
	}
}

func (t *tunnels) remove(n *tunnel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, n)
	t.tasks.Done()
}

// count is how many there are, those being dialled included.
func (t *tunnels) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open) + t.coming
}

// busy is how many a drain waits for.
func (t *tunnels) busy() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.coming
	for one := range t.open {
		if one.silence() < busy {
			n++
		}
	}
	return n
}

// end closes all of them, and those to come.
func (t *tunnels) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for one := range t.open {
		one.cut.Store(true)
		one.close()
	}
}
