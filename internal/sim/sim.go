package sim

import (
	"context"
	"net/http"
	"strings"
	"time"

	"outrigger/internal/sim/api"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/limits"
	"outrigger/internal/sim/meter"
)

// Sim is a simulated upstream. It is an http.Handler and safe for concurrent use.
// Use New, and Close when done.
type Sim struct {
	cfg Config
	bad error // cfg does not validate

	meter       *meter.Meter
	faults      *fault.Schedule
	ledger      *ledger.Ledger
	accounts    limits.Accounts
	outage      outage
	concurrency limits.InProgress
	capacity    limits.Load

	api *api.API

	ctx   context.Context // ends with Close: what a request waits on besides its own
	close context.CancelFunc

	listening listening
}

// New returns a simulator. When cfg does not validate, every request is answered
// with status 500 and the mistakes, and Start and Serve return them.
func New(cfg Config) *Sim {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sim{cfg: cfg.withDefaults(), bad: cfg.Validate(), ctx: ctx, close: cancel}
	s.ledger = ledger.New(cfg.LedgerSize)
	s.meter = meter.New(nil)
	s.faults = fault.NewSchedule(cfg.Seed, nil, time.Now())
	s.api = api.New(s.cfg.api())
	s.listening.init(s)
	s.Reset()
	return s
}

// Reset brings back the state after New: the configured limits with nothing used,
// the configured faults and accounts with their counts at zero, no objects, an empty
// ledger. An outage ends; requests in progress go on.
func (s *Sim) Reset() {
	now := time.Now()
	s.outage.end(s)
	s.ledger.Reset()
	s.api.Forget()
	if s.bad != nil {
		return
	}
	s.meter.Replace(s.cfg.Limits)
	s.faults.Replace(s.cfg.Faults, now)
	s.accounts.Replace(s.cfg.Accounts, now)
	s.concurrency.Replace(s.cfg.Concurrency)
	s.capacity.Set(s.cfg.capacity())
}

// Close ends the listeners, every connection and every request in progress, and
// returns when none of the simulator's goroutines is left. Requests that another
// server hands to ServeHTTP are ended too, but not waited for.
func (s *Sim) Close() {
	s.outage.end(s)
	s.close()
	s.listening.shut()
}

// Ledger returns the record of what was done.
func (s *Sim) Ledger() *ledger.Ledger { return s.ledger }

// Duplicates returns the client requests whose work was done more than once.
func (s *Sim) Duplicates() []ledger.Duplicate { return s.ledger.Duplicates() }

// AddFaults puts further rules in force, after the present ones. If one of them
// is invalid, none is added and the error wraps fault.ErrRule.
func (s *Sim) AddFaults(rules ...fault.Rule) error {
	if err := validateAll(rules); err != nil {
		return err
	}
	s.faults.Add(rules, time.Now())
	return nil
}

// SetFaults puts these rules in force instead of the present ones; without
// arguments it ends all faults. Errors are those of AddFaults.
func (s *Sim) SetFaults(rules ...fault.Rule) error {
	if err := validateAll(rules); err != nil {
		return err
	}
	s.faults.Replace(rules, time.Now())
	return nil
}

// SetLimits puts these limits in force, with nothing used. An invalid one changes
// nothing; the error wraps meter.ErrLimit.
func (s *Sim) SetLimits(limits ...meter.Limit) error {
	for _, l := range limits {
		if err := validateLimit(l); err != nil {
			return err
		}
	}
	s.meter.Replace(limits)
	return nil
}

// SetConcurrency puts these limits in force while requests are in progress, which
// count against those of them that match what limits before them matched. An invalid
// one changes nothing; the error wraps ErrConcurrency.
func (s *Sim) SetConcurrency(limits ...Concurrency) error {
	if err := validateAll(limits); err != nil {
		return err
	}
	s.concurrency.Replace(limits)
	return nil
}

// SetCapacity changes the capacity while requests are in progress. An invalid one
// changes nothing; the error wraps ErrCapacity.
func (s *Sim) SetCapacity(c Capacity) error {
	if err := c.Validate(); err != nil {
		return err
	}
	s.capacity.Set(c)
	return nil
}

// SetAccount refuses a credential with a.Row, or restores it when that is empty.
// An unknown row is an error that wraps fault.ErrRow.
func (s *Sim) SetAccount(a Account) error {
	if err := a.Validate(); err != nil {
		return err
	}
	s.accounts.Set(a, time.Now())
	return nil
}

func validateAll[T interface{ Validate() error }](all []T) error {
	for _, v := range all {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// ControlURL returns the URL of the control endpoint for a base URL that Start returned.
func (s *Sim) ControlURL(base string) string {
	return strings.TrimSuffix(base, "/v1") + controlPath
}

// ServeHTTP answers the control endpoint below /_sim/ and the API everywhere else.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.bad != nil {
		http.Error(w, s.bad.Error(), http.StatusInternalServerError)
		return
	}
	if r.URL.Path == controlPath || strings.HasPrefix(r.URL.Path, controlPath+"/") {
		s.control(w, r)
		return
	}
	c := newCall(s, w, r)
	defer c.end()
	c.serve()
}
