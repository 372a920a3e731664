package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// call is one request on its way through the simulator.
type call struct {
	sim   *Sim
	w     http.ResponseWriter
	r     *http.Request
	began time.Time
	entry ledger.Record

	route      *route
	args       []string // what the route's wildcards stand for
	credential string

	// Set by the endpoint when it reads the request.
	digest   hash.Hash // of the body
	model    string
	stream   bool
	cost     meter.Cost
	estimate int // input tokens

	attempt  int
	decision meter.Decision
	release  []func()      // of the places that it holds
	lost     time.Duration // to refusals by the whole upstream, before this request or waited for since

	fault    string // for the ledger
	answered bool   // the ledger knows the outcome
}

// work carries a request out and returns its answer. An endpoint returns it
// unexecuted, because limits and faults may forbid it.
type work func() answer

func newCall(s *Sim, w http.ResponseWriter, r *http.Request) *call {
	c := &call{sim: s, w: w, r: r, began: time.Now(), credential: clip(credentialOf(r.Header)), attempt: 1}
	c.route, c.args = findRoute(r.Method, r.URL.Path)
	c.entry = s.ledger.Begin(ledger.Entry{
		Time: c.began, Credential: ledger.Mask(c.credential), Method: r.Method,
		Path: clip(r.URL.Path), Route: c.route.name,
		Key: clip(r.Header.Get("Idempotency-Key")), Request: clip(r.Header.Get("X-Sim-Request")),
	})
	return c
}

// clip bounds a text from outside that is kept: 50,000 entries may hold it.
func clip(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.Clone(s[:most]) // not a part of something longer
}

// serve is the whole way of a request.
func (c *call) serve() {
	if !c.pause(c.sim.cfg.Network) {
		return
	}
	if c.outage() || c.strikeUnread() {
		return
	}
	do, err := c.read()
	if err != nil {
		c.send(err.answer(c), nil)
		return
	}
	if refusal, refused := c.refuse(); refused {
		c.send(refusal, nil)
		return
	}
	rule := c.sim.faults.Pick(time.Now(), c.faultRequest(false))
	if rule != nil {
		c.fault = rule.Name()
	}
	instead := rule != nil && isInstead(rule)
	if instead && !rule.After {
		c.strike(rule)
		return
	}
	a := do()
	if a.status < http.StatusBadRequest {
		c.entry.Worked(a.object)
	}
	if !c.pause(c.sim.cfg.Latency+c.generation(a)) || !c.overload() {
		return
	}
	if instead {
		c.strike(rule)
		return
	}
	c.send(a, rule)
}

// generation is the time that an answer takes to be thought out before anything is sent.
func (c *call) generation(a answer) time.Duration {
	if a.events != nil {
		return 0
	}
	return c.sim.cfg.TokenDelay * time.Duration(a.tokens)
}

// read lets the endpoint read the request, and tells the ledger what it found.
func (c *call) read() (work, *apiError) {
	if err := c.admit(); err != nil {
		return nil, err
	}
	do, err := c.route.read(c)
	if err != nil {
		return nil, err
	}
	if err := c.knownModel(); err != nil {
		return nil, err
	}
	var digest string
	if c.digest != nil {
		digest = hex.EncodeToString(c.digest.Sum(nil)[:8])
	}
	c.attempt = c.entry.Read(c.model, c.stream, digest)
	return do, nil
}

// hash starts the digest of the body.
func (c *call) hash() hash.Hash {
	c.digest = sha256.New()
	return c.digest
}

func (c *call) faultRequest(unread bool) fault.Request {
	return fault.Request{
		Path: c.r.URL.Path, Method: c.r.Method, Model: c.model, Credential: c.credential,
		Stream: c.stream, Attempt: c.attempt, Unread: unread,
	}
}

// pause waits, and reports false when the client left or the simulator was closed meanwhile.
func (c *call) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.r.Context().Done():
		return false
	case <-c.sim.ctx.Done():
		return false
	}
}

// end completes the ledger's entry; it runs also when a fault aborts the handler by a panic.
func (c *call) end() {
	for _, release := range c.release {
		release()
	}
	c.answers(0)
	c.entry.End(time.Now())
}

// answers tells the ledger the outcome before the client sees any of it. Only the first
// status counts: a connection that breaks later does not change what was sent.
func (c *call) answers(status int) {
	if c.answered {
		return
	}
	c.answered = true
	c.entry.Answers(status, c.fault)
}
