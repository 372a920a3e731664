package proxy

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// maxScopes bounds the breakers of one upstream's endpoints and models, of about 1 KB each:
// callers choose the models. One credential's may be a quarter of them. What fails beyond that
// counts at the upstream's own breaker alone.
const (
	maxScopes   = 256
	scopesShare = 4
)

// scope is what can be broken while the rest of an upstream is well: one endpoint with one
// model, for one credential, since an account may be what is broken.
type scope struct {
	endpoint, model string
	credential      credential
}

// allScopes is the name of an upstream as a whole among its scopes: no endpoint's.
const allScopes = "all"

// String returns the scope as metrics and pages show it.
func (s scope) String() string {
	if s.model == "" {
		return s.endpoint
	}
	return s.endpoint + " " + labelText(s.model)
}

// scopes are the breakers beneath that of one upstream. There is one from the first
// failure of a scope until its next success. Safe for concurrent use.
type scopes struct {
	config policy.BreakerConfig
	alone  bool         // no other upstream could answer
	any    atomic.Int64 // how many there are: the fast path

	mu    sync.RWMutex
	gates map[scope]*gate
}

func newScopes(c policy.BreakerConfig, alone bool) *scopes {
	return &scopes{config: c, alone: alone, gates: map[scope]*gate{}}
}

// of returns the gate of a scope, nil while it is well.
func (s *scopes) of(key scope) *gate {
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

// report books an attempt for which there was no permit, because its scope was well when
// it began. A first failure makes the gate.
func (s *scopes) report(key scope, a classify.BreakerAction) {
	g := s.of(key)
	if g == nil && a == classify.Fault {
		g = s.add(key)
	}
	if g == nil || g.shut() {
		return // or it tells of a time before the breaker opened
	}
	if p, err := g.allow(); err == nil {
		p.report(a)
	}
	s.settle(key, g, a)
}

// settle forgets a gate that has nothing to tell any more.
func (s *scopes) settle(key scope, g *gate, a classify.BreakerAction) {
	if a != classify.Success || g.shut() || g.breaker.State() != policy.Closed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates[key] == g && g.depth() == 0 {
		s.drop(key)
	}
}

// add makes the gate of a scope, or returns nil where there are too many.
func (s *scopes) add(key scope) *gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.gates[key]; g != nil {
		return g
	}
	if !s.hasRoom(key.credential) {
		return nil
	}
	g := newGate(s.config, s.alone)
	g.heard.Store(time.Now().UnixNano())
	s.gates[key] = g
	s.any.Add(1)
	return g
}

// hasRoom reports whether a credential may have one more: if it has its share, one of its own
// goes for it, and if there are too many, one of those of whoever has most. Locked.
func (s *scopes) hasRoom(c credential) bool {
	if len(s.gates) < maxScopes/scopesShare {
		return true
	}
	has, most := map[credential]int{}, 0
	for key := range s.gates {
		has[key.credential]++
		most = max(most, has[key.credential])
	}
	switch {
	case has[c] >= maxScopes/scopesShare:
		return s.makeRoom(func(of credential) bool { return of == c })
	case len(s.gates) >= maxScopes:
		return s.makeRoom(func(of credential) bool { return has[of] == most })
	}
	return true
}

// makeRoom drops some of those that are meant and at which nobody waits, those that are closed
// first and then those that were not heard of for longest, and reports whether there were any.
// Locked.
func (s *scopes) makeRoom(meant func(credential) bool) bool {
	var idle []scope
	for key, g := range s.gates {
		if g.depth() == 0 && meant(key.credential) {
			idle = append(idle, key)
		}
	}
	slices.SortFunc(idle, func(a, b scope) int {
		g, h := s.gates[a], s.gates[b]
		switch {
		case g.shut() == h.shut():
			return cmp.Compare(g.heard.Load(), h.heard.Load())
		case g.shut():
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
func (s *scopes) drop(key scope) {
	g := s.gates[key]
	delete(s.gates, key)
	s.any.Add(-1)
	g.stop()
}

// A gate of a scope is forgotten that nobody came to for that long: closed, or in whatever state.
const (
	closedTime = 2 * time.Minute
	shutTime   = 15 * time.Minute
)

// tidy forgets such gates, and reports whether any is left.
func (s *scopes) tidy(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, g := range s.gates {
		idle := now.Sub(time.Unix(0, g.heard.Load()))
		if g.depth() == 0 && (idle >= shutTime || idle >= closedTime && !g.shut()) {
			s.drop(key)
		}
	}
	return len(s.gates) > 0
}

// each calls f with every breaker that is not closed.
func (s *scopes) each(f func(scope, *gate)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, g := range s.gates {
		if g.breaker.State() != policy.Closed {
			f(key, g)
		}
	}
}

func (s *scopes) stop() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, g := range s.gates {
		g.stop()
	}
}

// scopeAt is the request's scope as f's upstream knows it.
func (x *Run) scopeAt(f *facing) scope { return scope{x.endpoint.Name, f.model, f.credential} }

// passScope waits at the open breaker of the request's endpoint and model, or goes on to
// the next upstream. Once the outage of a scope has lasted for as long as requests wait at
// all (OUTRIGGER_BREAKER_WAIT), each gets one attempt and hears what comes of it: the
// rest of the upstream is well, so a call does no harm, and it tells more than an error of
// Outrigger's own.
func (x *Run) passScope() error {
	x.lastChance = false
	g := x.up.scopes.of(x.scopeAt(&x.facing))
	if g == nil || !g.shut() {
		return nil
	}
	now := time.Now()
	if x.mayGoOn(policy.FailoverBreaker) && (g.try(now, x.isShy()) || x.goOn(policy.FailoverBreaker)) {
		return nil
	}
	// Each waits for a time of its own: all those that wait would else go at the same moment.
	until := now.Add(x.gatePatience())
	if !now.Before(until) || !now.Before(g.breaker.OpenSince().Add(x.config.Breaker.Wait)) {
		x.lastChance = true
		return nil
	}
	err := g.wait(x.ctx, x.account, until, false)
	x.record.gate += x.waited(SpanBreaker, "scope", now)
	if errors.Is(err, errShut) {
		x.lastChance, err = true, nil
	}
	if err == nil && x.up.gate.shut() {
		return x.passGate() // its breaker opened meanwhile, and the probe there is another's
	}
	return err
}

// passGates waits at the breakers of the upstream and of the request's scope there.
func (x *Run) passGates() error {
	for {
		if err := x.passGate(); err != nil {
			return err
		}
		up := x.up
		if err := x.passScope(); err != nil || x.up == up {
			return err
		}
	}
}

// reportBreakers tells both breakers how the attempt went.
//
// While the breaker of its scope is not closed an attempt's failure tells nothing new of
// the upstream as a whole.
func (x *Run) reportBreakers(a *attempt) {
	if a.verdict.Outcome == classify.OutcomeBroke && !x.up.gate.lost(a.started, time.Now()) {
		a.verdict.Breaker = classify.Ignore
	}
	whole := a.verdict.Breaker
	if whole == classify.Fault && (x.lease.scoped.gate != nil && x.lease.scoped.gate.shut() || x.lastChance) {
		whole = classify.Ignore
	}
	x.lease.permit.report(x.blame(a, whole))
	key := x.scopeAt(&x.facing)
	if x.lease.scoped.gate == nil {
		x.up.scopes.report(key, a.verdict.Breaker)
		return
	}
	x.lease.scoped.report(a.verdict.Breaker)
	x.up.scopes.settle(key, x.lease.scoped.gate, a.verdict.Breaker)
}

// blame turns what the attempt says of the whole upstream into nothing where it is this
// credential's own matter.
func (x *Run) blame(a *attempt, whole classify.BreakerAction) classify.BreakerAction {
	switch whole {
	case classify.Success:
		x.up.blame.Succeeded(time.Now(), a.started, x.credential)
	case classify.Fault:
		if !x.up.blame.Failed(time.Now(), x.credential) {
			return classify.Ignore
		}
	}
	return whole
}

// brokeOff tells both breakers that an answer broke off after it had begun.
func (x *Run) brokeOff() {
	if x.up.blame.Failed(time.Now(), x.credential) {
		x.up.gate.fail()
	}
	x.up.scopes.report(x.scopeAt(&x.facing), classify.Fault)
}
