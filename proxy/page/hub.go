package page

import (
	"sync"
	"time"
)

const (
	// MaxListeners is how many pages may be open at once.
	MaxListeners = 8
	// lookEvery is the shortest time between two looks at the state: 2 per second.
	lookEvery = 500 * time.Millisecond
	// share is the part of one core that looking may take.
	share = 100
	// aliveEvery is how often a page hears something although nothing has changed: it tells a
	// quiet Outrigger from a lost connection.
	aliveEvery = 10 * time.Second
)

// hub looks at the state while somebody listens, and tells all listeners what has changed.
type hub struct {
	source Source
	left   chan struct{} // the last listener has left

	mu        sync.Mutex
	listeners map[*listener]bool
	looking   bool      // a goroutine is
	next      time.Time // when the state may be looked at again

	// Of the goroutine that looks:
	told  time.Time // when something was sent last
	state state     // as sent last; what listeners know that are not behind
	seq   uint64    // of the last request that was sent
}

// listener is one open page.
type listener struct {
	events chan []byte
	behind bool // it knows nothing yet, or has missed something
}

// eventsWaiting is how many events may wait for a listener before it is behind.
const eventsWaiting = 2

func newHub(s Source) *hub {
	return &hub{source: s, left: make(chan struct{}, 1), listeners: map[*listener]bool{}}
}

// join adds a listener, nil if there are too many.
func (h *hub) join() *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= MaxListeners {
		return nil
	}
	l := &listener{events: make(chan []byte, eventsWaiting), behind: true}
	h.listeners[l] = true
	if !h.looking {
		h.looking = true
		go h.look()
	}
	return l
}

// leave removes a listener. With the last one, the looking ends.
func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
	if len(h.listeners) == 0 {
		select {
		case h.left <- struct{}{}:
		default: // it was told already
		}
	}
}

// look looks at the state until nobody listens any more.
func (h *hub) look() {
	timer := time.NewTimer(h.pause())
	defer timer.Stop()
	for h.wanted() {
		select {
		case <-h.left: // unless another one came meanwhile
		case <-timer.C:
			h.tell()
			timer.Reset(h.pause())
		}
	}
}

// pause is how long it is to the next look.
func (h *hub) pause() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(time.Until(h.next), 0)
}

// tell looks once. It does not hold the lock meanwhile: who comes or leaves does not wait for it.
func (h *hub) tell() {
	began := time.Now()
	h.send(began)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = began.Add(max(lookEvery, share*time.Since(began)))
}

// wanted reports whether anybody listens. If not, the looking is over.
func (h *hub) wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 {
		h.looking = false
		h.state = state{}
	}
	return h.looking
}

// send sends the listeners what they do not know.
func (h *hub) send(now time.Time) {
	s := h.source.Status()
	st, err := stateOf(&s)
	if err != nil {
		return // a number that JSON has not: the next look may be luckier
	}
	u := update{
		Time: now, Parts: changed(h.state.parts, st.parts), Upstreams: changed(h.state.upstreams, st.upstreams),
		Requests: h.source.Recent.After(h.seq),
	}
	h.state = st
	if n := len(u.Requests); n > 0 {
		h.seq = u.Requests[n-1].Seq
	}
	news := len(u.Parts)+len(u.Upstreams)+len(u.Requests) > 0 || now.Sub(h.told) >= aliveEvery
	if news {
		h.told = now
	}
	part := sync.OnceValue(u.event)
	whole := sync.OnceValue(func() []byte {
		return update{now, true, st.parts, st.upstreams, h.source.Recent.After(0)}.event()
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		switch {
		case l.behind && len(l.events) == 0:
			l.events <- whole()
			l.behind = false
		case l.behind, !news:
		case len(l.events) == cap(l.events):
			l.behind = true
		default:
			l.events <- part()
		}
	}
}
