package relay

import (
	"context"
	"net"
	"sync"
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
	// One connection is in the hands of accept, which waits, and one in a queue of length 0.
	backlog(r.listener, 0)
	var all sync.WaitGroup
	for range 3 {
		all.Go(r.fill)
	}
	all.Wait()
}

// normalBacklog is how many connections wait to be accepted.
const normalBacklog = 1024

// fill takes a place in the queue of connections.
func (r *Relay) fill() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr())
	if err != nil {
		return // it is full
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.deaf {
		_ = c.Close()
		return
	}
	r.filler = append(r.filler, c)
}
