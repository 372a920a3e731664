package limiter

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/policy/limit"
)

// saying puts headers on every answer.
func saying(pairs ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header()[pairs[i]] = []string{pairs[i+1]}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// refusal is a rule by which the hundredth call gets a 429 with this text and headers.
func refusal(message string, headers map[string]string) []fault.Rule {
	return []fault.Rule{{
		Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Skip: 99, First: 1, Headers: headers,
		Body: `{"error":{"message":"` + message + `","type":"requests","param":null,"code":"rate_limit_exceeded"}}`,
	}}
}

// nowAndThen is a rule by which one call of fifty gets such a 429.
func nowAndThen(message string, headers map[string]string) []fault.Rule {
	rules := refusal(message, headers)
	rules[0].Skip, rules[0].First, rules[0].Every = 0, 0, 50
	return rules
}

// once is saying for the nth answer alone.
func once(nth int64, pairs ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var n atomic.Int64
		odd := saying(pairs...)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == nth {
				odd.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// state is the limiter's of the one key and model that a test uses.
func (g *rig) state() limit.Snapshot {
	g.t.Helper()
	limits := g.proxy.Status().Upstreams[0].Limits
	if len(limits) != 1 {
		g.t.Fatalf("%d limiters, want 1", len(limits))
	}
	return limits[0].State
}

// TestNothingThatIsSaidMakesAnOutage asks for ten calls per second for a minute, of an
// upstream without limits that says otherwise.
func TestNothingThatIsSaidMakesAnOutage(t *testing.T) {
	tests := map[string]struct {
		says   func(http.Handler) http.Handler
		faults []fault.Rule
		failed int           // how many calls may be answered with their refusal
		most   time.Duration // how long one may wait
	}{
		"OpenAI's sample headers": {
			says: saying("X-Ratelimit-Limit-Tokens", "150000", "X-Ratelimit-Remaining-Tokens", "149984", "X-Ratelimit-Reset-Tokens", "6m0s"),
			most: 100 * time.Millisecond,
		},
		"Azure's minus one": {
			says: saying("X-Ratelimit-Limit-Requests", "-1", "X-Ratelimit-Remaining-Requests", "-1", "X-Ratelimit-Reset-Requests", "0",
				"X-Ratelimit-Limit-Tokens", "-1", "X-Ratelimit-Remaining-Tokens", "-1", "X-Ratelimit-Reset-Tokens", "0"),
			most: 100 * time.Millisecond,
		},
		"a hint of a day": {
			faults: refusal("Requests to the API have exceeded the call rate limit. Please retry after 86400 seconds.", map[string]string{"Retry-After": "86400"}),
			failed: 1, most: 2 * time.Second,
		},
		"a text whose arithmetic does not fit": {
			faults: refusal("Rate limit reached for gpt-4o-mini in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 7ms.", nil),
			most:   2 * time.Second,
		},
		"a limit of a day that is used up, and is not": {
			faults: refusal("Rate limit reached for gpt-4o-mini in organization org-x on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 5s.", nil),
			most:   7 * time.Second,
		},
		"a limit that one answer tells": {
			says: once(13, "X-Ratelimit-Limit-Requests", "7"), most: 100 * time.Millisecond,
		},
		"two headers that were merged": {
			says: saying("X-Ratelimit-Limit-Tokens", "1,2"), most: 100 * time.Millisecond,
		},
		"a wait of five minutes now and then": {
			faults: nowAndThen("Too many requests", map[string]string{"Retry-After": "300"}),
			failed: 12, most: 100 * time.Millisecond,
		},
		"a text of six minutes now and then": {
			faults: nowAndThen("Rate limit reached for gpt-4o-mini in organization org-x on requests per min (RPM): Limit 1200, Used 1200, Requested 1. Please try again in 6m0s.", nil),
			failed: 12, most: 100 * time.Millisecond,
		},
		"nothing ever left": {
			says: saying("X-Ratelimit-Limit-Requests", "1200", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "5m0s"),
			most: 20 * time.Second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.says == nil {
				tt.says = saying()
			}
			bubbleBehind(t, sim.Config{Latency: thought, Faults: tt.faults}, near, 0, tt.says, func(g *rig) {
				o := g.send("", steady("", 10, 0, time.Minute))
				if failed := 600 - o.ok; failed > tt.failed {
					g.t.Errorf("%d of 600 failed, want at most %d", failed, tt.failed)
				}
				longest := slices.MaxFunc(o.answers, func(a, b answered) int { return cmp.Compare(a.took, b.took) })
				hold(g.t, "the longest time for an answer", longest.took.Seconds(), tt.most.Seconds())
			})
		})
	}
}

// TestBadHeadersChangeNothingButACounter sends what no limit can be: nobody waits, and
// no limit is learned.
func TestBadHeadersChangeNothingButACounter(t *testing.T) {
	const requests, left, reset = "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"
	tests := map[string]func(http.Handler) http.Handler{
		"negative":               saying(requests, "-5", left, "-5", reset, "-1s"),
		"not a number":           saying(requests, "NaN", left, "NaN", reset, "NaN"),
		"infinite":               saying(requests, "Inf", left, "+Inf", reset, "Infs"),
		"huge":                   saying(requests, "1e300", left, "99999999999999999999", reset, "99999999999999h"),
		"zero":                   saying(requests, "0", left, "0", reset, "0s"),
		"less than one":          saying(requests, "0.5", left, "0.1", reset, "1s"),
		"words":                  saying(requests, "many", left, "few", reset, "soon"),
		"more left than allowed": saying(requests, "3", left, "100", reset, "1s"),
		"no ASCII":               saying(requests, "٣", left, "\xff\xfe", reset, "１s"),
	}
	for name, says := range tests {
		t.Run(name, func(t *testing.T) {
			bubbleBehind(t, sim.Config{Latency: thought}, near, 0, says, func(g *rig) {
				o := g.send("", steady("", 10, 0, 10*time.Second))
				if o.ok != 100 {
					g.t.Errorf("%d of 100 succeeded", o.ok)
				}
				hold(g.t, "the seconds until the last", o.makespan.Seconds(), 10.1)
				if s := g.state(); len(s.Buckets) > 0 || s.Counters.IgnoredHeaders < 100 {
					g.t.Errorf("%+v, want no limit and each counted", s)
				}
			})
		})
	}
}

// TestBadHintsChangeNothingButACounter has one refusal among a hundred calls.
func TestBadHintsChangeNothingButACounter(t *testing.T) {
	text := func(numbers string) string {
		return "Rate limit reached for gpt-4o-mini in organization org-x on requests per min (RPM): " + numbers
	}
	tests := map[string]struct {
		message string
		headers map[string]string
	}{
		"a negative wait":    {"Slower please.", map[string]string{"Retry-After": "-5"}},
		"not a number":       {"Slower please.", map[string]string{"Retry-After": "NaN", "Retry-After-Ms": "NaN"}},
		"infinite":           {"Slower please.", map[string]string{"Retry-After": "Inf"}},
		"huge":               {"Slower please.", map[string]string{"Retry-After": "1e300"}},
		"long ago":           {"Slower please.", map[string]string{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}},
		"two that disagree":  {"Please try again in 1ms.", map[string]string{"Retry-After": "0", "Retry-After-Ms": "-1"}},
		"a limit of nothing": {text("Limit 0, Used 0, Requested 1. Please try again in 1ms."), nil},
		"a huge limit":       {text("Limit 99999999999999999999, Used 99999999999999999999, Requested 1. Please try again in 1ms."), nil},
		"less than used":     {text("Limit 3, Used 1, Requested 1. Please try again in 1ms."), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, sim.Config{Latency: thought, Faults: refusal(tt.message, tt.headers)}, near, 0, func(g *rig) {
				o := g.send("", steady("", 10, 0, 20*time.Second))
				if o.ok != 200 {
					g.t.Errorf("%d of 200 succeeded", o.ok)
				}
				hold(g.t, "the seconds until the last", o.makespan.Seconds(), 20.1)
				for _, b := range g.state().Buckets {
					if rate := b.Rate; math.IsNaN(rate) || rate < 9.5 {
						g.t.Errorf("%+v after one refusal of 200 at 10 per second", b)
					}
				}
			})
		})
	}
}
