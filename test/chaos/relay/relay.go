package relay

import (
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
)

// Relay forwards what reaches its listener. It is safe for concurrent use. Use Listen.
type Relay struct {
	far      string
	seed     uint64
	listener *net.TCPListener
	weather  atomic.Pointer[Weather]
	count    atomic.Uint64 // of connections, for their seeds
	running  sync.WaitGroup
	over     context.Context //nolint:containedctx // the relay's life, which Close ends
	end      context.CancelFunc

	mu     sync.Mutex
	heard  *sync.Cond // of mu: deaf has changed
	deaf   bool
	held   bool       // while it is deaf: accept has a connection
	filler []net.Conn // that fill the queue of connections meanwhile
	open   map[*link]struct{}
	struck map[Kind]int
}

// Listen listens on near, and forwards to far. The seed decides what chance decides.
func Listen(near, far string, seed uint64) (*Relay, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", near)
	if err != nil {
		return nil, err
	}
	r := &Relay{far: far, seed: seed, listener: listener.(*net.TCPListener), open: map[*link]struct{}{}, struck: map[Kind]int{}} //nolint:forcetypeassert // tcp
	r.over, r.end = context.WithCancel(context.Background())
	r.heard = sync.NewCond(&r.mu)
	r.weather.Store(&Weather{})
	r.running.Go(r.accept)
	return r, nil
}

// Addr is the address to connect to.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Set changes the weather, for new exchanges and for what is forwarded from now on.
func (r *Relay) Set(w Weather) {
	r.weather.Store(&w)
	r.setDeaf(w.Deaf)
}

// Struck is how often each kind has struck.
func (r *Relay) Struck() map[Kind]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.struck)
}

// Open is how many connections there are.
func (r *Relay) Open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// Close closes the listener and all connections, and waits for their end.
func (r *Relay) Close() {
	r.end()
	_ = r.listener.Close()
	r.setDeaf(false)
	r.mu.Lock()
	for l := range r.open {
		l.close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

func (r *Relay) accept() {
	for {
		c, err := r.listener.AcceptTCP()
		r.mu.Lock()
		for r.held = r.deaf; r.deaf; {
			r.heard.Wait()
		}
		r.held = false
		r.mu.Unlock()
		if r.over.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return
		}
		if err != nil {
			continue // one that was reset before it was taken
		}
		n := r.count.Add(1)
		r.running.Go(func() { r.serve(c, rand.New(rand.NewPCG(r.seed, n))) })
	}
}

// serve is one connection.
func (r *Relay) serve(near *net.TCPConn, random *rand.Rand) {
	l := &link{relay: r, near: near, random: random, closed: make(chan struct{})}
	r.mu.Lock()
	r.open[l] = struct{}{}
	r.mu.Unlock()
	if r.over.Err() == nil { // else Close may not have seen it
		l.run()
	}
	l.close()
	r.mu.Lock()
	delete(r.open, l)
	r.mu.Unlock()
}

// counts that a kind has struck.
func (r *Relay) counts(k Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.struck[k]++
}

// draw returns what is to strike, of the kinds that strike at once or of the others, "" for none.
func (w *Weather) draw(random *rand.Rand, atOnce bool) Kind {
	dice := random.Float64()
	for _, k := range Kinds() {
		if k.atOnce() != atOnce {
			continue
		}
		if dice -= w.Chance[k]; dice < 0 {
			return k
		}
	}
	return ""
}
