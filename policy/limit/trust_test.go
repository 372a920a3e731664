package limit

import (
	"math"
	"testing"
	"time"
)

// TestNothingThatIsSaidMakesAnOutage feeds upstreams' misleading answers to a limiter
// whose upstream in truth lets 20 per second through, or everything, and asks for 10
// per second for five minutes.
func TestNothingThatIsSaidMakesAnOutage(t *testing.T) {
	headers := func(pairs ...string) func(Refusal) (Headers, Refusal) {
		return func(r Refusal) (Headers, Refusal) { return ParseHeaders(header(pairs...), origin), r }
	}
	refusals := func(said Refusal) func(Refusal) (Headers, Refusal) {
		return func(Refusal) (Headers, Refusal) { return Headers{}, said }
	}
	tests := map[string]struct {
		says    func(Refusal) (Headers, Refusal)
		refuses int // so many requests, whatever the limit, from the hundredth on
		most    time.Duration
	}{
		"OpenAI's sample": {headers("X-Ratelimit-Limit-Tokens", "150000", "X-Ratelimit-Remaining-Tokens", "149984", "X-Ratelimit-Reset-Tokens", "6m0s"), 0, time.Second},
		"Azure's minus one": {headers("X-Ratelimit-Limit-Requests", "-1", "X-Ratelimit-Remaining-Requests", "-1", "X-Ratelimit-Reset-Requests", "0",
			"X-Ratelimit-Limit-Tokens", "-1", "X-Ratelimit-Remaining-Tokens", "-1", "X-Ratelimit-Reset-Tokens", "0"), 0, time.Second},
		"nothing ever left":        {headers("X-Ratelimit-Limit-Requests", "1200", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "5m0s"), 0, 20 * time.Second},
		"a hint of a day":          {refusals(Refusal{Hint: day}), 1, 62 * time.Second},
		"a false hint of a day":    {refusals(Refusal{Hint: day, HintFalse: true}), 1, 2 * time.Second},
		"a negative hint":          {refusals(Refusal{Hint: -time.Hour}), 1, 2 * time.Second},
		"a text that does not fit": {refusals(Refusal{Dimension: "requests", Limit: 3, Used: 3, Requested: 1, Hint: 7 * time.Millisecond, Window: time.Minute}), 1, 2 * time.Second},
		"a day's text that does not fit": {
			refusals(Refusal{Dimension: "requests", Limit: 200, Used: 200, Requested: 1, Hint: 10 * time.Hour, Window: day}), 1, 62 * time.Second,
		},
		"a limit that was passed already":  {refusals(Refusal{Dimension: "requests", Limit: 3, Used: 3, Window: time.Minute}), 1, 2 * time.Second},
		"numbers that are none":            {refusals(Refusal{Dimension: "tokens", Limit: math.NaN(), Used: math.Inf(1), Requested: -1, Window: -1}), 1, 2 * time.Second},
		"huge numbers":                     {refusals(Refusal{Dimension: "tokens", Limit: 1e300, Used: 1e300, Requested: 1e300, Hint: math.MaxInt64}), 1, 2 * time.Second},
		"concurrency, several times":       {refusals(Refusal{Dimension: "concurrency"}), 5, 10 * time.Second},
		"bare refusals, several in a row":  {refusals(Refusal{}), 5, 10 * time.Second},
		"hints of a minute, several times": {refusals(Refusal{Hint: time.Minute}), 1, 65 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			up := &upstream{}
			s := newSimulation(1, learning, near, up)
			n := 0
			up.says = func(a answer) answer {
				n++
				a.ok = a.ok && (n < 100 || n >= 100+tt.refuses)
				a.headers, a.refusal = tt.says(a.refusal)
				a.refusal.Headers = a.headers
				return a
			}
			jobs := burst(3000, 10, 100*time.Millisecond)
			arrived := map[*Waiter]time.Duration{}
			for i, j := range jobs {
				j.at = time.Duration(i) * 100 * time.Millisecond
				arrived[&j.Waiter] = j.at
			}
			var longest time.Duration
			s.admitted = func(now time.Time, w *Waiter) { longest = max(longest, now.Sub(origin)-arrived[w]) }
			r := s.run(jobs, 10*time.Minute)
			if gone := r.ok + r.turnedAway; gone != 3000 || r.turnedAway > 1 {
				t.Errorf("%d of 3000, %d turned away, want all but one at most", r.ok, r.turnedAway)
			}
			if longest > tt.most {
				t.Errorf("the longest wait was %v, want at most %v", longest, tt.most)
			}
		})
	}
}

// TestTheMidnightResetIsFoundByTrying meets a day's limit that comes back at once and
// late, with a hint that no arithmetic proves.
func TestTheMidnightResetIsFoundByTrying(t *testing.T) {
	up := &upstream{told: told{texts: true}, meters: []*meter{newMeter(origin, "requests", 50, day, midnight, 50)}}
	s := newSimulation(1, learning, near, up)
	jobs := burst(50, 10, 100*time.Millisecond)
	// A call each minute with ten minutes of patience, until past midnight.
	for i := range 13 * 60 {
		j := &job{at: time.Duration(i+1) * time.Minute, takes: 100 * time.Millisecond}
		j.Deadline = at(j.at + 10*time.Minute)
		jobs = append(jobs, j)
	}
	r := s.run(jobs, 13*time.Hour)
	if r.refused > 90 || r.late > 0 {
		t.Errorf("%d refused in 12 hours and %d late, want one in ten minutes at most and none", r.refused, r.late)
	}
	if got := between(r.accepted, 12*time.Hour, 12*time.Hour+15*time.Minute); got == 0 {
		t.Error("none was let through within a quarter of an hour of midnight")
	}
}

// TestABurstThatIsRefusedIsNotTriedAgainForTenMinutes has an upstream that announces a
// minute and enforces seconds.
func TestABurstThatIsRefusedIsNotTriedAgainForTenMinutes(t *testing.T) {
	s := newSimulation(1, learning, near, requests(1200, quanta, 20, false, told{headers: true}))
	var jobs []*job
	for i := range 15 { // 60 requests at once, each minute
		for range 60 {
			jobs = append(jobs, &job{at: time.Duration(i) * time.Minute, takes: 100 * time.Millisecond})
		}
	}
	r := s.run(jobs, 0)
	first := between(r.refusedAt, 0, time.Minute)
	if first == 0 || first > 5 {
		t.Errorf("%d of the first burst refused, want a few", first)
	}
	if got := between(r.refusedAt, time.Minute, 10*time.Minute); got > 9 {
		t.Errorf("%d of nine more bursts refused, want at most one each", got)
	}
	if got := between(r.refusedAt, 10*time.Minute, 15*time.Minute); got == 0 || got > 10 {
		t.Errorf("%d of the last five bursts refused, want the trial's few", got)
	}
}
