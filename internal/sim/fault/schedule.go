package fault

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Request is what a rule's conditions look at.
type Request struct {
	Path, Method, Model, Credential string
	// Stream: an event stream was asked for.
	Stream bool
	// Attempt is the ordinal of this request among those of one client request, from 1.
	Attempt int
	// Unread: the body has not been read yet; only unread rules are considered then,
	// and only the others later.
	Unread bool
}

// Schedule is a list of rules in force. It is safe for concurrent use.
//
// Which request a rule strikes depends on the rule's place in the list, on how
// many requests fulfilled its conditions before, and on the seed; on nothing else.
// So the same seed and the same requests give the same faults.
type Schedule struct {
	seed  uint64
	mu    sync.Mutex // serialises changes
	rules atomic.Pointer[[]*armed]
	armed uint64 // rules ever set, under mu: rules added later get their own random numbers
}

// armed is a rule in force.
type armed struct {
	rule   Rule
	stream bool
	number uint64
	since  time.Time
	seen   atomic.Uint64 // requests that fulfilled the conditions
	struck atomic.Uint64
}

// State is a rule in force with what it has done.
type State struct {
	Rule Rule `json:"rule"`
	// Seen counts the requests that fulfilled the conditions, Struck those it was applied to.
	Seen   uint64 `json:"seen"`
	Struck uint64 `json:"struck"`
}

// NewSchedule returns a schedule of rules that are in force from now on. They must be valid.
func NewSchedule(seed uint64, rules []Rule, now time.Time) *Schedule {
	s := &Schedule{seed: seed}
	s.Replace(rules, now)
	return s
}

// Replace puts other rules in force, with counts at zero and the random numbers from their start.
func (s *Schedule) Replace(rules []Rule, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = 0
	list := s.arm(rules, now)
	s.rules.Store(&list)
}

// Add puts further rules in force, after the present ones.
func (s *Schedule) Add(rules []Rule, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Concat(*s.rules.Load(), s.arm(rules, now))
	s.rules.Store(&list)
}

func (s *Schedule) arm(rules []Rule, now time.Time) []*armed {
	list := make([]*armed, 0, len(rules))
	for _, r := range rules {
		s.armed++
		list = append(list, &armed{rule: r, stream: r.Stream(), number: s.armed, since: now})
	}
	return list
}

// States returns the rules in force, in order.
func (s *Schedule) States() []State {
	out := []State{}
	for _, a := range *s.rules.Load() {
		out = append(out, State{Rule: a.rule, Seen: a.seen.Load(), Struck: a.struck.Load()})
	}
	return out
}

// Pick returns the first rule that strikes this request, or nil. It counts the
// request for every rule up to that one. The rule must not be changed.
func (s *Schedule) Pick(now time.Time, q Request) *Rule {
	for _, a := range *s.rules.Load() {
		if a.rule.Unread == q.Unread && a.inForce(now) && (q.Stream || !a.stream) && a.rule.matches(q) && a.strikes(s.seed) {
			a.struck.Add(1)
			return &a.rule
		}
	}
	return nil
}

func (a *armed) inForce(now time.Time) bool {
	age := now.Sub(a.since)
	if a.rule.Period > 0 && age > 0 {
		age %= a.rule.Period
	}
	return age >= a.rule.Start && (a.rule.Stop == 0 || age < a.rule.Stop)
}

// strikes counts one more request and decides about it.
func (a *armed) strikes(seed uint64) bool {
	n := a.seen.Add(1)
	r := &a.rule
	if n <= uint64(r.Skip) {
		return false
	}
	k := n - uint64(r.Skip)
	if r.First > 0 && k > uint64(r.First) {
		return false
	}
	if r.Every > 0 && k%uint64(r.Every) != 0 {
		return false
	}
	return r.Probability == 0 || Unit(seed, a.number, n) < r.Probability
}

// Unit returns a number in [0,1) that its arguments determine: SplitMix64
// (Steele, Lea, Flood, OOPSLA 2014) over each in turn.
func Unit(seed uint64, parts ...uint64) float64 {
	x := Mix(seed)
	for _, p := range parts {
		x = Mix(x ^ p)
	}
	return float64(x>>11) / (1 << 53)
}

// Mix is SplitMix64's step: a bijection that makes consecutive numbers look random.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}
