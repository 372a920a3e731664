package limit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"outrigger/policy/limit"
)

// keyLoad is what one key sends: a request at each of these times.
type keyLoad struct {
	account int    // of those in accounts that it draws on
	org     string // that its answers name
	model   string // that refusals name
	at      []time.Duration
	movesTo int           // another account that it draws on later
	moves   time.Duration // from then on; 0 is never
}

// toldAccount is an account that refills continuously: what is shown may be larger than
// what is enforced.
type toldAccount struct {
	rpm       float64
	burst     float64 // requests that are there at once; 0 is the whole minute's
	headers   bool
	texts     bool
	counted   bool // refusals are charged
	each      float64
	fromOther []time.Duration // what somebody else sends
}

type storyEvent struct {
	at time.Duration
	do func()
}

// said is what a Siblings made certain.
type said struct {
	what string // "join 0 1"
	at   time.Duration
}

// tellStory lets keys send what they want to accounts, and returns what a Siblings that
// sees it says.
func tellStory(seed uint64, trip, jitter time.Duration, accounts []toldAccount, keys []keyLoad) []said {
	random := rand.New(rand.NewPCG(seed, 1))
	start := time.Unix(1_800_000_000, 0)
	s := limit.NewSiblings(start)
	type arrival struct {
		at, sent time.Duration
		key      int
		account  int
	}
	var all []arrival
	way := func() time.Duration { return trip/2 + time.Duration(random.Int64N(int64(jitter)+1)) }
	for k, load := range keys {
		for _, t := range load.at {
			account := load.account
			if load.moves > 0 && t >= load.moves {
				account = load.movesTo
			}
			all = append(all, arrival{t + way(), t, k, account})
		}
	}
	for i, a := range accounts {
		for _, t := range a.fromOther {
			all = append(all, arrival{t, t, -1, i})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	levels, shown, lasts := make([]float64, len(accounts)), make([]float64, len(accounts)), make([]time.Duration, len(accounts))
	for i, a := range accounts {
		levels[i], shown[i] = a.burst, a.rpm
		if a.burst == 0 {
			levels[i] = a.rpm
		}
	}
	members := make([]*limit.Sibling, len(keys))
	for i := range members {
		members[i] = &limit.Sibling{}
	}
	var told []said
	var events []storyEvent
	for _, v := range all {
		a := accounts[v.account]
		burst := a.burst
		if burst == 0 {
			burst = a.rpm
		}
		in := (v.at - lasts[v.account]).Seconds() * a.rpm / 60
		lasts[v.account] = v.at
		levels[v.account] = min(burst, levels[v.account]+in)
		shown[v.account] = min(a.rpm, shown[v.account]+in)
		accepted := levels[v.account] >= 1
		if each := max(1, a.each); accepted || a.counted {
			levels[v.account], shown[v.account] = levels[v.account]-each, shown[v.account]-each
		}
		if v.key < 0 {
			continue
		}
		load := keys[v.key]
		answer := limit.Told{Organization: load.org}
		if a.headers {
			answer.Headers.Readings = []limit.Reading{{
				Dimension: "requests", Limit: a.rpm, Remaining: max(0, math.Floor(shown[v.account])),
				Reset: time.Duration((a.rpm - shown[v.account]) / a.rpm * float64(time.Minute)).Round(time.Millisecond), Resolution: time.Millisecond,
			}}
		}
		back := v.at + way()
		if accepted {
			back += 20 * time.Millisecond
		} else {
			hint := time.Duration(math.Ceil(max(1, 1-levels[v.account])) / a.rpm * float64(time.Minute)).Round(time.Millisecond)
			answer.Refusal = &limit.Refusal{Dimension: "requests", Limit: a.rpm, Used: a.rpm, Requested: 1, Window: time.Minute, Hint: hint}
			if a.texts {
				answer.Account = load.model + " in organization " + load.org
			}
		}
		m := members[v.key]
		var id uint64
		events = append(events, storyEvent{v.sent, func() { id = s.Sent(start.Add(v.sent), m) }},
			storyEvent{back, func() {
				c := s.Answered(start.Add(back), m, id, answer.Refusal != nil, answer.Quota())
				for _, x := range [...]struct {
					what string
					who  []*limit.Sibling
				}{{"join", c.Join}, {"part", c.Part}} {
					if len(x.who) == 0 {
						continue
					}
					var who []int
					for _, w := range x.who {
						who = append(who, slices.Index(members, w))
					}
					slices.Sort(who)
					told = append(told, said{fmt.Sprint(x.what, who), back})
				}
			}})
	}
	slices.SortStableFunc(events, func(a, b storyEvent) int { return int(a.at - b.at) })
	for _, e := range events {
		e.do()
	}
	return told
}

// poisson is a random load of so many per second.
func poisson(random *rand.Rand, perSecond float64, from, to time.Duration) []time.Duration {
	var all []time.Duration
	for t := from; ; {
		t += time.Duration(random.ExpFloat64() / perSecond * float64(time.Second))
		if t >= to {
			return all
		}
		all = append(all, t)
	}
}

// evenly is a load of so many per second, in equal steps.
func evenly(perSecond float64, from, to time.Duration) []time.Duration {
	var all []time.Duration
	for t := from; t < to; t += time.Duration(float64(time.Second) / perSecond) {
		all = append(all, t)
	}
	return all
}
