package policy

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"outrigger/policy/classify"
)

// ErrBreakerOpen is returned by Allow while an upstream is left alone, and while
// the one probe that may try it is under way.
var ErrBreakerOpen = errors.New("circuit breaker is open")

// errFault and errIgnored are what gobreaker is told instead of an attempt's own error.
var (
	errFault   = errors.New("fault")
	errIgnored = errors.New("ignored")
)

// Breaker leaves an upstream alone that fails: closed it lets all attempts
// through and counts them over a rolling window; open it lets none; half-open it
// lets one at a time through, the probe, whose outcome closes or reopens it.
//
// It is a gobreaker.TwoStepCircuitBreaker with its traps covered (v2.4.0):
//   - done called twice counts twice: a report counts once;
//   - a done that is never called blocks half-open for ever: a probe that is
//     silent for too long is excluded when the next attempt asks, by Allow
//     itself, so that neither timer nor goroutine is needed;
//   - a result is booked where its attempt started, and dropped when that is
//     outside the window: what is older than a bucket is booked as of now;
//   - its callbacks run under its lock: they only set fields here;
//   - it changes from open to half-open when asked: state is read live;
//   - failures in a row leave its count with the window: they are counted here.
//
// gobreaker reads time.Now by itself, so Breaker does too. Safe for concurrent
// use; made by NewBreaker.
type Breaker struct {
	config BreakerConfig
	alone  bool
	bucket time.Duration

	mu      sync.Mutex // held around every call of gobreaker, so also in its callbacks
	cb      *gobreaker.TwoStepCircuitBreaker[struct{}]
	inARow  int // failures since the last success
	changes int // of state, so far; tells the attempts of one state from those of another
	opens   uint64
	opened  time.Time // when it last opened
	since   time.Time // when it opened after it had been closed
	probe   *attempt  // the one under way while half-open
	silent  int       // probes since half-open that lost their place by silence
	forced  bool      // the next failure opens it, see Configure
	told    breakerTold
}

// attempt is one permit.
type attempt struct {
	started  time.Time
	changes  int
	done     func(error)
	reported bool
}

// NewBreaker returns a closed breaker. Settings outside the ranges of their tags
// are replaced by the nearest inside. Alone says that no other upstream could answer
// instead. To leave an upstream alone then helps nobody for as long as any call succeeds,
// so the breaker opens only when nothing does: by failures in a row, by default five times
// as many, and not by their share.
func NewBreaker(c BreakerConfig, alone bool) *Breaker {
	c = c.inRange(alone)
	b := &Breaker{config: c, alone: alone}
	b.count()
	return b
}

// count begins a count of its own, with the settings of b. Called with mu held, or before
// anybody else has b.
func (b *Breaker) count() {
	b.bucket = b.config.Window / breakerBuckets
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Interval:      b.config.Window,
		BucketPeriod:  b.bucket,
		Timeout:       b.config.Open,
		ReadyToTrip:   b.readyToTrip,
		OnStateChange: b.changed,
		IsExcluded:    func(err error) bool { return errors.Is(err, errIgnored) },
	})
}

// readyToTrip is asked at each failure while closed. Counts.Requests is no use: it
// holds the attempts that are still under way. Called with mu held.
func (b *Breaker) readyToTrip(c gobreaker.Counts) bool {
	if b.forced || b.config.Consecutive > 0 && b.inARow >= b.config.Consecutive {
		b.told.cause = fmt.Sprintf("%d failures in a row", b.inARow)
		return true
	}
	if b.alone {
		return false
	}
	n := int(c.TotalSuccesses) + int(c.TotalFailures)
	if !(b.config.Ratio > 0) || n < b.config.Min || float64(c.TotalFailures)/float64(n) < b.config.Ratio {
		return false
	}
	b.told.cause = fmt.Sprintf("%d of %d attempts failed within %s", c.TotalFailures, n, b.config.Window)
	return true
}

// changed follows gobreaker's state. Called with mu held.
func (b *Breaker) changed(_ string, from, to gobreaker.State) {
	b.changes++
	b.inARow, b.probe, b.silent = 0, nil, 0
	b.note(BreakerState(from), BreakerState(to))
	if to == gobreaker.StateOpen {
		b.opens++
		b.opened = time.Now()
		if from == gobreaker.StateClosed {
			b.since = b.opened
		}
	}
}

// Allow asks for leave to make one attempt. It fails with ErrBreakerOpen, or
// returns the function that must be told how the attempt went, once, at the
// answer's first byte or when there will be none; calls after the first do
// nothing. An attempt that ends undecided reports classify.Ignore.
func (b *Breaker) Allow() (func(classify.BreakerAction), error) {
	b.mu.Lock()
	defer b.unlock()
	now := time.Now()
	if b.probe != nil && now.Sub(b.probe.started) >= b.patience() {
		b.probe.done(errIgnored)
		b.probe = nil
		b.silent++
	}
	done, err := b.cb.Allow()
	if err != nil {
		return nil, ErrBreakerOpen
	}
	a := &attempt{started: now, changes: b.changes, done: done}
	if b.cb.State() == gobreaker.StateHalfOpen {
		b.probe = a
	}
	return func(action classify.BreakerAction) { b.report(a, action) }, nil
}

// Fail enters a failure that came after its attempt was reported: a stream broke.
// Unless the breaker is closed it does nothing: then the probe decides.
func (b *Breaker) Fail() {
	b.mu.Lock()
	defer b.unlock()
	if b.cb.State() == gobreaker.StateClosed {
		b.enter(classify.Fault)
	}
}

// Note enters the outcome of an attempt that had no permit: of a caller that may go on
// while the upstream is left alone to others. A success closes a breaker that is half-open,
// on behalf of the probe; what comes while it is open tells nothing that the next probe does not.
func (b *Breaker) Note(action classify.BreakerAction) {
	b.mu.Lock()
	defer b.unlock()
	switch state := b.cb.State(); {
	case state == gobreaker.StateClosed:
		b.enter(action)
	case state == gobreaker.StateHalfOpen && action == classify.Success:
		if b.probe != nil {
			b.book(b.probe.done, action)
			return
		}
		b.enter(action)
	}
}

// report books the outcome of a, once.
func (b *Breaker) report(a *attempt, action classify.BreakerAction) {
	b.mu.Lock()
	defer b.unlock()
	if a.reported {
		return
	}
	a.reported = true
	state := b.cb.State()
	switch {
	case a.changes != b.changes:
		// It tells of a time before the state changed. gobreaker drops it too.
	case state == gobreaker.StateHalfOpen:
		b.reportProbe(a, action)
	case time.Since(a.started) > b.bucket:
		a.done(errIgnored)
		b.enter(action)
	default:
		b.book(a.done, action)
	}
}

// patience is how long a probe may be silent before the next one goes. It halves
// with each that was: a failure comes fast as a rule, and a whole answer may take a
// minute, in which one probe per open period would hold up all requests of a
// healthy upstream. Called with mu held.
func (b *Breaker) patience() time.Duration {
	return max(b.config.Open>>min(b.silent, mostHalved), time.Millisecond)
}

// mostHalved bounds the halving: with the default of 1 s open, 32 probes a second.
const mostHalved = 5

// reportProbe books the outcome of a probe. One that was silent for too long has
// lost its place; how it ended after all is still news, and closes or reopens the
// breaker on behalf of the present one. Called with mu held.
func (b *Breaker) reportProbe(a *attempt, action classify.BreakerAction) {
	if a == b.probe {
		b.probe = nil
		b.book(a.done, action)
		return
	}
	if action == classify.Ignore {
		return
	}
	if b.probe == nil {
		b.enter(action)
		return
	}
	b.book(b.probe.done, action)
}

// enter books an outcome as an attempt of this moment. Called with mu held.
func (b *Breaker) enter(action classify.BreakerAction) {
	done, err := b.cb.Allow()
	if err == nil {
		b.book(done, action)
	}
}

// book tells gobreaker. Called with mu held.
func (b *Breaker) book(done func(error), action classify.BreakerAction) {
	switch action {
	case classify.Success:
		b.inARow = 0
		done(nil)
	case classify.Fault:
		b.inARow++
		done(errFault)
	default:
		done(errIgnored)
	}
}
