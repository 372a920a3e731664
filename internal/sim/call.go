package sim

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"

	"outrigger/internal/sim/api"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/reply"
)

// call is one request on its way through the simulator.
type call struct {
	sim   *Sim
	w     http.ResponseWriter
	r     *http.Request
	began time.Time
	entry ledger.Record
	*api.Request

	attempt  int
	decision meter.Decision
	release  []func()      // of the places that it holds
	lost     time.Duration // to refusals by the whole upstream, before this request or waited for since

	fault    string // for the ledger
	answered bool   // the ledger knows the outcome
}

func newCall(s *Sim, w http.ResponseWriter, r *http.Request) *call {
	c := &call{sim: s, w: w, r: r, began: time.Now(), Request: s.api.NewRequest(r), attempt: 1}
	c.entry = s.ledger.Begin(ledger.Entry{
		Time: c.began, Credential: ledger.Mask(c.Credential), Method: r.Method,
		Path: api.Clip(r.URL.Path), Route: c.Route.Name,
		Key: api.Clip(r.Header.Get("Idempotency-Key")), Request: api.Clip(r.Header.Get("X-Sim-Request")),
	})
	c.ID = c.requestID()
	return c
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
		c.send(c.ErrorAnswer(err), nil)
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
	if a.Status < http.StatusBadRequest {
		c.entry.Worked(a.Object)
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
func (c *call) generation(a reply.Answer) time.Duration {
	if a.Events != nil {
		return 0
	}
	return c.sim.cfg.TokenDelay * time.Duration(a.Tokens)
}

// read lets the endpoint read the request, and tells the ledger what it found.
func (c *call) read() (api.Work, *reply.Error) {
	do, err := c.Accept()
	if err != nil {
		return nil, err
	}
	c.attempt = c.entry.Read(c.Model, c.Stream, c.BodyDigest())
	return do, nil
}

func (c *call) faultRequest(unread bool) fault.Request {
	return fault.Request{
		Path: c.r.URL.Path, Method: c.r.Method, Model: c.Model, Credential: c.Credential,
		Stream: c.Stream, Attempt: c.attempt, Unread: unread,
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

// requestID is what x-request-id tells: "req_" and 32 hex digits.
func (c *call) requestID() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], fault.Mix(c.sim.cfg.Seed+c.entry.ID))
	binary.BigEndian.PutUint64(raw[8:], fault.Mix(^c.sim.cfg.Seed+c.entry.ID))
	return "req_" + hex.EncodeToString(raw[:])
}
