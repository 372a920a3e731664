package policy

import (
	"sync"
	"time"

	"outrigger/policy/classify"
)

// BreakerState is what a breaker does with attempts. Its numbers are those of the
// metric outrigger_breaker_state. The zero value is Closed.
type BreakerState uint8

// The states, which are also gobreaker's.
const (
	Closed   BreakerState = iota // attempts pass
	HalfOpen                     // one at a time passes, to try
	Open                         // none passes
)

// String returns the state in lower case, for logs.
func (s BreakerState) String() string {
	switch s {
	case Closed:
		return "closed"
	case HalfOpen:
		return "half-open"
	case Open:
		return "open"
	default:
		return "unknown"
	}
}

// State returns the state at this moment. Read it when it is wanted: a state that
// was stored at a change still says open when the time to probe has come.
func (b *Breaker) State() BreakerState {
	b.mu.Lock()
	defer b.unlock()
	return b.state()
}

// state is State. Called with mu held. The numbers are gobreaker's too.
func (b *Breaker) state() BreakerState { return BreakerState(b.cb.State()) }

// ProbeAt returns when the next probe may go: the zero time while closed, a time
// past when one may go already, and while a probe is under way the time at which
// its place is given to another. An Allow at that very time is granted.
func (b *Breaker) ProbeAt() time.Time {
	b.mu.Lock()
	defer b.unlock()
	return b.probeAt(b.state())
}

func (b *Breaker) probeAt(s BreakerState) time.Time {
	switch {
	case s == Closed:
		return time.Time{}
	case b.probe != nil:
		return b.probe.started.Add(b.patience())
	default:
		return b.opened.Add(b.config.Open + 1) // gobreaker waits for longer than Open
	}
}

// OpenSince returns when the breaker last left the closed state, zero if it never did.
func (b *Breaker) OpenSince() time.Time {
	b.mu.Lock()
	defer b.unlock()
	return b.since
}

// Patience returns how long a probe may be silent before the next one goes: Open at
// first, and half as long after each silent one.
func (b *Breaker) Patience() time.Duration {
	b.mu.Lock()
	defer b.unlock()
	return b.patience()
}

// BreakerSnapshot is what a breaker knows, for metrics and the status page.
type BreakerSnapshot struct {
	State BreakerState
	// Successes and Failures are those of the window; both start over at each change of state.
	Successes, Failures int
	// InARow is the number of failures since the last success.
	InARow int
	// Opens counts how often the breaker has opened.
	Opens uint64
	// ProbeAt is as of the method.
	ProbeAt time.Time
}

// Snapshot returns what b knows at this moment.
func (b *Breaker) Snapshot() BreakerSnapshot {
	b.mu.Lock()
	defer b.unlock()
	s := b.state() // first: it moves the window, which Counts does not
	c := b.cb.Counts()
	return BreakerSnapshot{
		State: s, Successes: int(c.TotalSuccesses), Failures: int(c.TotalFailures),
		InARow: b.inARow, Opens: b.opens, ProbeAt: b.probeAt(s),
	}
}

// BreakerConfig says when an upstream is left alone, and for how long. It is the
// configuration as well. The zero value never opens.
type BreakerConfig struct {
	// Ratio of failed attempts in the window that opens the breaker, once there are Min of
	// them, unless it is alone (NewBreaker).
	Ratio float64 `env:"BREAKER_RATIO" envDefault:"0.5" min:"0" max:"1" off:"true" doc:"share of failed attempts that opens the breaker where another upstream could answer instead; 0 switches this rule off"`
	// Min is the least number of finished attempts in the window for Ratio to mean anything.
	Min int `env:"BREAKER_MIN" envDefault:"20" min:"1" max:"1000000" doc:"least attempts in the window before their share counts"`
	// Window is what the share is taken over. It rolls in tenths.
	Window time.Duration `env:"BREAKER_WINDOW" envDefault:"10s" min:"100ms" max:"1h" doc:"rolling window for the share of failed attempts"`
	// Open is how long nothing is sent before the first probe, and how long a probe
	// may be silent before the next one.
	Open time.Duration `env:"BREAKER_OPEN" envDefault:"1s" min:"10ms" max:"1h" doc:"time open before a probe, and from a silent probe to the next"`
	// Consecutive is the number of failures in a row, over any time, that opens the breaker
	// too. Below 0 it is 10, and 50 for a breaker that is alone (NewBreaker).
	Consecutive int `env:"BREAKER_CONSECUTIVE" envDefault:"-1" min:"-1" max:"1000000" off:"true" doc:"failures in a row that open it too; -1 is 10 where another upstream could answer instead, and 50 elsewhere; 0 switches this rule off"`
	// Wait is how long a request waits while its upstream is down. Breaker does not look at
	// it; whoever makes requests wait does.
	Wait time.Duration `env:"BREAKER_WAIT" envDefault:"30s" min:"0s" max:"1h" off:"true" doc:"how long a request waits while its upstream is down: at an open breaker, or for retry budget"`
}

// How many failures in a row open a breaker by default. An upstream that fails nine calls
// of ten, each by chance, opens one at 10 in a row within seconds, and at 50 once in some
// 2,000 attempts; one that is down has failed 50 soon.
const (
	consecutive      = 10
	consecutiveAlone = 50
)

// breakerBuckets is how many steps the window rolls in: gobreaker allocates one
// Counts for each.
const breakerBuckets = 10

// inRange returns c with what its tags do not permit replaced: gobreaker makes an
// open time of 0 a minute, and a window of 0 endless.
func (c BreakerConfig) inRange(alone bool) BreakerConfig {
	if !(c.Ratio > 0) {
		c.Ratio = 0
	}
	c.Ratio = min(c.Ratio, 1)
	c.Min = max(c.Min, 1)
	c.Window = min(max(c.Window, 100*time.Millisecond), time.Hour)
	c.Open = min(max(c.Open, 10*time.Millisecond), time.Hour)
	switch {
	case c.Consecutive >= 0:
	case alone:
		c.Consecutive = consecutiveAlone
	default:
		c.Consecutive = consecutive
	}
	return c
}

// Configure puts other settings into force, as NewBreaker takes them. The state stays: a
// breaker that is open, or half-open, is open for the new time from now on. Failures in a
// row stay counted; those of the window begin anew if its length changes.
func (b *Breaker) Configure(c BreakerConfig, alone bool) {
	b.mu.Lock()
	defer b.unlock()
	before, state := b.config, b.state()
	b.config, b.alone = c.inRange(alone), alone
	if b.config.Window == before.Window && b.config.Open == before.Open {
		return
	}
	opens, since := b.opens, b.since
	b.count()
	b.changes++ // what is under way was let through by the count before
	b.probe = nil
	if state == Closed {
		return
	}
	b.forced = true
	b.enter(classify.Fault)
	b.forced, b.opens, b.since = false, opens, since
}

// BreakerChange is a change of a breaker's state.
type BreakerChange struct {
	From, To BreakerState
	// Cause says why, for a reader.
	Cause string
	// Since is when the breaker left the closed state; zero at its opening.
	Since time.Time
}

// breakerTold is what a breaker is to tell of its changes. Under the breaker's lock, but for order.
type breakerTold struct {
	tell    func(BreakerChange) // nil tells nobody
	cause   string              // of the next opening
	pending []BreakerChange
	order   sync.Mutex // held while they are told, so that the last one told is the state
}

// OnChange has tell called after each change of state but those of Configure, one at a time.
// It must not use the breaker, and is to be set before anybody does.
func (b *Breaker) OnChange(tell func(BreakerChange)) { b.told.tell = tell }

// note keeps a change until it can be told. Called with mu held.
func (b *Breaker) note(from, to BreakerState) {
	if b.told.tell == nil || b.forced {
		return
	}
	c := BreakerChange{From: from, To: to, Since: b.since}
	switch {
	case to == HalfOpen:
		c.Cause = "it is time for a probe"
	case to == Closed:
		c.Cause = "a probe succeeded"
	case from == HalfOpen:
		c.Cause = "a probe failed"
	default:
		c.Cause, c.Since = b.told.cause, time.Time{}
	}
	b.told.pending = append(b.told.pending, c)
}

// unlock ends the hold of mu, and tells what changed in it.
func (b *Breaker) unlock() {
	if len(b.told.pending) == 0 {
		b.mu.Unlock()
		return
	}
	pending := b.told.pending
	b.told.pending = nil
	b.told.order.Lock()
	defer b.told.order.Unlock()
	b.mu.Unlock()
	for _, c := range pending {
		b.told.tell(c)
	}
}
