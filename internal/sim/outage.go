package sim

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"outrigger/internal/sim/fault"
)

// Outage is the whole upstream being away, until it ends or for a time.
type Outage struct {
	Kind   OutageKind    `json:"kind" doc:"status, hang, reset or refuse; empty ends the outage"`
	Status int           `json:"status" doc:"status: which one, default 503"`
	For    time.Duration `json:"for" doc:"how long, 0 = until it is ended"`
}

// OutageKind is what clients meet during an outage.
type OutageKind string

// The kinds of outage.
const (
	OutageStatus OutageKind = "status" // an error answer, before the body is read
	OutageHang   OutageKind = "hang"   // no answer
	OutageReset  OutageKind = "reset"  // TCP reset of every request
	OutageRefuse OutageKind = "refuse" // connections are refused, see Sim.Refuse
)

// ErrOutage is wrapped by the errors about a bad Outage.
var ErrOutage = errors.New("bad outage")

// Validate reports what makes no sense, wrapping ErrOutage.
func (o Outage) Validate() error {
	switch o.Kind {
	case "", OutageStatus, OutageHang, OutageReset, OutageRefuse:
	default:
		return fmt.Errorf("%w: kind is %q, want status, hang, reset or refuse", ErrOutage, o.Kind)
	}
	if o.For < 0 || (o.Status != 0 && (o.Status < 400 || o.Status > 999)) {
		return fmt.Errorf("%w: want a status of 400 or more, and no negative time", ErrOutage)
	}
	return nil
}

// outage is the present one.
type outage struct {
	mu    sync.Mutex
	now   Outage
	rule  fault.Rule
	count int         // outages begun so far: the number of the present one
	timer *time.Timer // ends it; nil when nothing is to end it
}

// Outage starts an outage in place of the present one, or ends it when o is the
// zero value. The error wraps ErrOutage, or is that of Refuse.
func (s *Sim) Outage(o Outage) error {
	if err := o.Validate(); err != nil {
		return err
	}
	s.outage.end(s)
	if o.Kind == "" {
		return nil
	}
	return s.outage.start(s, o)
}

func (o *outage) start(s *Sim, next Outage) error {
	if next.Kind == OutageRefuse {
		if err := s.Refuse(true); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = next
	o.count++
	o.rule = fault.Rule{Kind: fault.Kind(next.Kind), Unread: true}
	if next.Kind == OutageStatus {
		o.rule.Status = cmp.Or(next.Status, http.StatusServiceUnavailable)
	}
	if next.For > 0 {
		number := o.count
		o.timer = time.AfterFunc(next.For, func() { o.expire(s, number) })
	}
	return nil
}

// expire ends the outage with that number, if it is still on.
func (o *outage) expire(s *Sim, number int) {
	o.mu.Lock()
	mine := o.count == number && o.timer != nil
	o.mu.Unlock()
	if mine {
		o.end(s)
	}
}

func (o *outage) end(s *Sim) {
	o.mu.Lock()
	was := o.now
	o.now = Outage{}
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	o.mu.Unlock()
	if was.Kind == OutageRefuse {
		_ = s.Refuse(false) // the address may be taken by now; Refuse can be called again
	}
}

// current returns the present outage and the rule that stands for it.
func (o *outage) current() (Outage, fault.Rule) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now, o.rule
}

// outage answers the request as the present outage has it, and reports whether
// there is one. A request on a connection from before the refusing is reset, as by
// a host whose server is gone.
func (c *call) outage() bool {
	now, rule := c.sim.outage.current()
	if c.sim.listening.refuses() {
		c.fault = "refused"
		c.reset()
		return true
	}
	if now.Kind == "" || now.Kind == OutageRefuse {
		return false
	}
	c.fault = "outage " + rule.Name()
	c.strike(&rule)
	return true
}
