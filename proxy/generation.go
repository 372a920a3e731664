package proxy

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"outrigger/proxy/access"
	"outrigger/proxy/affinity"
	"outrigger/proxy/fleet"
	"outrigger/proxy/fleet/server"
	"outrigger/proxy/lane"
	"outrigger/proxy/loop"
	"outrigger/proxy/observe"
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
	lends   bool // some upstream has a key of its own

	users    atomic.Int64 // requests that keep it, and 1 until it is replaced
	replaced atomic.Bool
	over     atomic.Bool
}

// same are the ways in which an upstream may be one that was there before, the surest first.
// What was learned is the URL's: a name may change, and so may the credential, whose own
// limits are then those of another.
var same = [...]func(a, b *settings.Upstream) bool{
	func(a, b *settings.Upstream) bool { return a.Name == b.Name && isSameCredential(a, b) },
	isSameCredential,
	func(a, b *settings.Upstream) bool { return a.Name == b.Name },
}

func isSameCredential(a, b *settings.Upstream) bool {
	return a.APIKey == b.APIKey && slices.Equal(a.Headers, b.Headers) && slices.Equal(a.Query, b.Query)
}

// known returns, for each upstream of c, the lane to it in the generation before, nil where
// there is none. No two have the same one, since two models behind one URL are apart.
func known(c settings.Config, before *generation) []*lane.Lane {
	all := make([]*lane.Lane, len(c.Upstreams))
	if before == nil {
		return all
	}
	left := slices.Clone(before.Upstreams)
	for _, isSame := range same {
		for i := range c.Upstreams {
			u := &c.Upstreams[i]
			at := slices.IndexFunc(left, func(l *lane.Lane) bool { return l.Config.URL.String() == u.URL.String() && isSame(&l.Config, u) })
			if all[i] == nil && at >= 0 {
				all[i] = left[at]
				left = slices.Delete(left, at, at+1)
			}
		}
	}
	return all
}

// newGeneration returns the generation of c. What was learned of the upstreams that the one
// before, nil if there is none, had too is kept. bodies is where request bodies are kept, in
// every generation.
func (p *Proxy) newGeneration(c settings.Config, before *generation, bodies *spool.Store) *generation {
	g := &generation{callers: access.NewCallers(c.Callers)}
	g.users.Store(1)
	g.Loop = &loop.Loop{
		Config: c, Recorder: p.recorder, Tracer: p.deps.Tracer, Bodies: bodies, Failures: p.failures,
		Credentials: p.credentials.With(settings.KeyHeaders(c.Upstreams)), Names: p.names,
		Batches: p.batches, Decoding: p.decoding,
	}
	g.Total, g.Silent = c.Timeouts.Operators()
	now := time.Now()
	var homes *affinity.Homes
	if before != nil {
		homes = before.Homes
		g.callers.KeepNames(before.callers)
	}
	for i, known := range known(c, before) {
		var api *upstream.API
		if known != nil {
			api = known.API
		}
		api = upstream.NewAPI(c, c.Upstreams[i], p.deps.Dial, p.deps.Proxies, api)
		g.Upstreams = append(g.Upstreams, lane.New(c, api, p.changes(), p.shared(), now, known))
		g.lends = g.lends || api.Config.LendsKey()
	}
	g.Homes = affinity.NewHomes(g.Upstreams, homes)
	return g
}

// changes is told of changes of the lanes' state.
func (p *Proxy) changes() observe.Recorder {
	if p.observing != nil {
		return observe.Observing{Recorder: p.recorder}
	}
	return p.recorder
}

// swap puts the generation of c in the place of the present one. Requests that are under way
// end in theirs. One call at a time.
func (p *Proxy) swap(c settings.Config) {
	before := p.gen()
	g := p.newGeneration(c, before, before.Bodies)
	p.names.SetOwn(settings.KeyHeaders(c.Upstreams))
	p.generation.Store(g)
	before.replaced.Store(true)
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
	if g.users.Add(-1) == 0 && g.replaced.Load() {
		g.close()
	}
}

// close ends what outlives requests, but for what another generation has too.
func (g *generation) close() {
	if g.over.Swap(true) {
		return
	}
	for _, l := range g.Upstreams {
		l.Close()
	}
}

// decoders bounds the bodies that are decoded at once: that takes a processor each.
func decoders() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }

// join joins the fleet of sidecars that share limits.
func (p *Proxy) join(c settings.Fleet) error {
	s, err := server.Parse(c.URL.Reveal())
	if err != nil {
		return err
	}
	p.fleet = fleet.Open(s, c.Fail == settings.FleetFailClosed, p.recorder)
	return nil
}

// shared is the fleet as lanes use it.
func (p *Proxy) shared() lane.Fleet {
	if p.fleet == nil {
		return nil
	}
	return p.fleet
}
