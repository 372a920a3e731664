package proxy

import (
	"crypto/sha256"
	"runtime"
	"sync/atomic"
	"time"

	"outrigger/proxy/access"
	"outrigger/proxy/affinity"
	"outrigger/proxy/lane"
	"outrigger/proxy/loop"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
	"outrigger/proxy/upstream"
)

// generation is the configuration of one moment, with the upstreams that it names, the
// lanes to them, and who may call. It does not change. A request keeps the one that it began
// with to its end, so that it never sees half of another.
type generation struct {
	*loop.Loop
	callers *access.Callers
	lanes   map[laneKey]*lane.Lane

	users   atomic.Int64 // requests that keep it, and 1 until it is replaced
	retired func()       // called once when nobody keeps it any more; set when it is replaced
	over    atomic.Bool
}

// laneKey tells lanes apart: by what they call and as whom. A name, or a limit, may change
// without a change of what was learned.
type laneKey struct {
	url        string
	credential [sha256.Size]byte
	nth        int // of several that have both, as two models behind one URL do
}

func keyOf(u *settings.Upstream) laneKey {
	text := []byte(u.APIKey.Reveal())
	for _, p := range append(append([]settings.Pair{}, u.Headers...), u.Query...) {
		text = append(append(append(text, 0), p.Name...), 0)
		text = append(text, p.Value...)
	}
	return laneKey{url: u.URL.String(), credential: sha256.Sum256(text)}
}

// newGeneration returns the generation of c. What was learned of upstreams that the one
// before, nil if there is none, had under the same URL and credential is kept. bodies is
// where request bodies are kept, in every generation.
func (p *Proxy) newGeneration(c settings.Config, before *generation, bodies *spool.Store) *generation {
	g := &generation{lanes: map[laneKey]*lane.Lane{}, callers: access.NewCallers(c.Callers)}
	g.users.Store(1)
	g.Loop = &loop.Loop{
		Config: c, Recorder: p.recorder, Bodies: bodies, Credentials: p.credentials, Names: p.names, Failures: p.failures,
		Decoding: p.decoding,
	}
	g.Total, g.Silent = c.Timeouts.Operators()
	now := time.Now()
	for _, u := range c.Upstreams {
		key := keyOf(&u)
		for g.lanes[key] != nil {
			key.nth++
		}
		var known *lane.Lane
		if before != nil {
			known = before.lanes[key]
		}
		l := lane.New(c, upstream.NewAPI(c, u, p.deps.Dial, p.deps.Proxies), p.recorder, p.shared(), now, known)
		g.Upstreams = append(g.Upstreams, l)
		g.lanes[key] = l
	}
	g.Homes = affinity.NewHomes(g.Upstreams)
	if before != nil {
		g.Homes.Keep(before.Homes)
	}
	return g
}

// swap puts the generation of c in the place of the present one. Requests that are under way
// end in theirs.
func (p *Proxy) swap(c settings.Config) {
	before := p.gen()
	g := p.newGeneration(c, before, before.Bodies)
	before.retired = func() { before.close(g) }
	p.generation.Store(g)
	before.release()
}

// gen is the present generation.
func (p *Proxy) gen() *generation { return p.generation.Load() }

// pin returns the present generation, which stays in use until it is released.
func (p *Proxy) pin() *generation {
	for {
		g := p.gen()
		g.users.Add(1)
		if p.gen() == g {
			return g
		}
		g.release() // it was replaced meanwhile, and may have been closed
	}
}

// pinAgain pins a generation that is pinned already.
func (g *generation) pinAgain() *generation {
	g.users.Add(1)
	return g
}

// release ends the use of a generation.
func (g *generation) release() {
	if g.users.Add(-1) == 0 && !g.over.Swap(true) && g.retired != nil {
		g.retired()
	}
}

// close ends what outlives requests, but for what the generation after it, nil if there is
// none, goes on with.
func (g *generation) close(after *generation) {
	for key, l := range g.lanes {
		l.CloseConnections()
		if after != nil {
			if next := after.lanes[key]; next != nil && next.Learned == l.Learned {
				continue
			}
		}
		l.Close()
	}
}

// decoders bounds the bodies that are decoded at once: that takes a processor each.
func decoders() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }
