package relay

import (
	"context"
	"net"
	"time"
)

// setDeaf makes the listener answer no SYN, or answer them again.
func (r *Relay) setDeaf(deaf bool) {
	r.mu.Lock()
	if r.deaf == deaf {
		r.mu.Unlock()
		return
	}
	r.deaf = deaf
	r.heard.Broadcast()
	filler := r.filler
	r.filler = nil
	r.mu.Unlock()
	for _, c := range filler {
		_ = c.Close()
	}
	if !deaf {
		backlog(r.listener, normalBacklog)
		return
	}
	// One connection is in the hands of accept, which waits, and one in a queue of length 0. Before
	// accept has its own, a queue that is full will have room again.
	backlog(r.listener, 0)
	for full := false; !full; {
		held := r.holds()
		full = !r.fill() && held
	}
}

// holds reports whether accept has a connection in its hands, or there is nothing to make deaf anymore.
func (r *Relay) holds() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held || !r.deaf
}

// normalBacklog is how many connections wait to be accepted.
const normalBacklog = 1024

// fill takes a place in the queue of connections, and reports whether there was one.
func (r *Relay) fill() bool {
	ctx, cancel := context.WithTimeout(r.over, 50*time.Millisecond)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr())
	if err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.deaf {
		_ = c.Close()
		return false
	}
	r.filler = append(r.filler, c)
	return true
}
