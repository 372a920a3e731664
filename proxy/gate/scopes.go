package gate

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
	"outrigger/proxy/wire"
)

// maxScopes bounds the breakers of one upstream's endpoints and models, of about 1 KB each:
// callers choose the models. One credential's may be a quarter of them. What fails beyond that
// counts at the upstream's own breaker alone.
const (
	maxScopes   = 256
	scopesShare = 4
)

// Scope is what can be broken while the rest of an upstream is well: one endpoint with one
// model, for one credential, since an account may be what is broken.
type Scope struct {
	Endpoint, Model string             // "" is any model
	Credential      carrier.Credential // who pays
}

// AllScopes is the name of an upstream as a whole among its scopes: no endpoint's.
const AllScopes = "all"

// String returns the scope as metrics and pages show it.
func (s Scope) String() string {
	if s.Model == "" {
		return s.Endpoint
	}
	return s.Endpoint + " " + wire.LabelText(s.Model)
}

// Scopes are the breakers beneath that of one upstream. There is one from the first
// failure of a scope until its next success. Safe for concurrent use.
type Scopes struct {
	config policy.BreakerConfig
	alone  bool // no other upstream could answer
	// Tell is told of changes of state; nil tells nobody. It must not call s.
	Tell func(Scope, *Gate, policy.BreakerChange)
	any  atomic.Int64 // how many there are: the fast path

	mu    sync.RWMutex
	gates map[Scope]*Gate
}

// NewScopes returns scopes that are all well. Alone says that no other upstream could answer.
func NewScopes(c policy.BreakerConfig, alone bool) *Scopes {
	return &Scopes{config: c, alone: alone, gates: map[Scope]*Gate{}}
}

// Configure puts other settings into force, as NewScopes takes them.
func (s *Scopes) Configure(c policy.BreakerConfig, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config, s.alone = c, alone
	for _, g := range s.gates {
		g.Configure(c, alone)
	}
}

// Of returns the gate of a scope, nil while it is well.
func (s *Scopes) Of(key Scope) *Gate {
	if s.any.Load() == 0 {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.gates[key]
	if g != nil {
		g.heard.Store(time.Now().UnixNano())
	}
	return g
}

// Report books an attempt for which there was no permit, because its scope was well when
// it began. A first failure makes the gate.
func (s *Scopes) Report(key Scope, a classify.BreakerAction) {
	g := s.Of(key)
	if g == nil && a == classify.Fault {
		g = s.add(key)
	}
	if g == nil || g.Shut() {
		return // or it tells of a time before the breaker opened
	}
	if p, err := g.Allow(); err == nil {
		p.Report(a)
	}
	s.Settle(key, g, a)
}

// Blame is Gate.Blame, for a scope that has failed before.
func (s *Scopes) Blame(key Scope, outcome string) {
	if g := s.Of(key); g != nil {
		g.Blame(outcome)
	}
}

// Settle forgets a gate that has nothing to tell any more.
func (s *Scopes) Settle(key Scope, g *Gate, a classify.BreakerAction) {
	if a != classify.Success || g.Shut() || g.Breaker.State() != policy.Closed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates[key] == g && g.Depth() == 0 {
		s.drop(key)
	}
}

// add makes the gate of a scope, or returns nil where there are too many.
func (s *Scopes) add(key Scope) *Gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.gates[key]; g != nil {
		return g
	}
	if !s.hasRoom(key.Credential) {
		return nil
	}
	g := NewGate(s.config, s.alone)
	if s.Tell != nil {
		g.Breaker.OnChange(func(c policy.BreakerChange) { s.Tell(key, g, c) })
	}
	g.heard.Store(time.Now().UnixNano())
	s.gates[key] = g
	s.any.Add(1)
	return g
}

// hasRoom reports whether a credential may have one more: if it has its share, one of its own
// goes for it, and if there are too many, one of those of whoever has most. Locked.
func (s *Scopes) hasRoom(c carrier.Credential) bool {
	if len(s.gates) < maxScopes/scopesShare {
		return true
	}
	has, most := map[carrier.Credential]int{}, 0
	for key := range s.gates {
		has[key.Credential]++
		most = max(most, has[key.Credential])
	}
	switch {
	case has[c] >= maxScopes/scopesShare:
		return s.makeRoom(func(of carrier.Credential) bool { return of == c })
	case len(s.gates) >= maxScopes:
		return s.makeRoom(func(of carrier.Credential) bool { return has[of] == most })
	}
	return true
}

// makeRoom drops some of those that are meant and at which nobody waits, those that are closed
// first and then those that were not heard of for longest, and reports whether there were any.
// Locked.
func (s *Scopes) makeRoom(meant func(carrier.Credential) bool) bool {
	var idle []Scope
	for key, g := range s.gates {
		if g.Depth() == 0 && meant(key.Credential) {
			idle = append(idle, key)
		}
	}
	slices.SortFunc(idle, func(a, b Scope) int {
		g, h := s.gates[a], s.gates[b]
		switch {
		case g.Shut() == h.Shut():
			return cmp.Compare(g.heard.Load(), h.heard.Load())
		case g.Shut():
			return 1
		}
		return -1
	})
	for _, key := range idle[:min(len(idle), maxScopes/scopesShare/8)] {
		s.drop(key)
	}
	return len(idle) > 0
}

// drop forgets a gate. Locked.
func (s *Scopes) drop(key Scope) {
	g := s.gates[key]
	delete(s.gates, key)
	s.any.Add(-1)
	g.Stop()
}

// A gate of a scope is forgotten that nobody came to for that long: closed, or in whatever state.
const (
	closedTime = 2 * time.Minute
	shutTime   = 15 * time.Minute
)

// Tidy forgets such gates, and reports whether any is left.
func (s *Scopes) Tidy(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, g := range s.gates {
		idle := now.Sub(time.Unix(0, g.heard.Load()))
		if g.Depth() == 0 && (idle >= shutTime || idle >= closedTime && !g.Shut()) {
			if state := g.Breaker.State(); state != policy.Closed && s.Tell != nil {
				s.Tell(key, g, policy.BreakerChange{From: state, To: policy.Closed, Cause: "nobody called it for " + shutTime.String(), Since: g.Breaker.OpenSince()})
			}
			s.drop(key)
		}
	}
	return len(s.gates) > 0
}

// Each calls f with every breaker that is not closed.
func (s *Scopes) Each(f func(Scope, *Gate)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, g := range s.gates {
		if g.Breaker.State() != policy.Closed {
			f(key, g)
		}
	}
}

// Stop ends the timers of all gates.
func (s *Scopes) Stop() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, g := range s.gates {
		g.Stop()
	}
}
