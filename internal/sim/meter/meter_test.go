package meter

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// start lies on a minute of the clock, for the fixed windows.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// step is one request of a story: at this time after start, this cost; the refusal it meets, if any.
type step struct {
	at   time.Duration
	cost Cost
	want Decision
}

// refusal is the decision of a refused request, without its levels.
func refusal(d Dimension, limit, used, requested int, wait time.Duration) Decision {
	return Decision{Dimension: d, Limit: limit, Used: used, Requested: requested, Wait: wait}
}

var admitted = Decision{Admitted: true}

func TestLimitsAreEnforcedToTheNanosecond(t *testing.T) {
	ms, s := time.Millisecond, time.Second
	stories := map[string]struct {
		limit Limit
		steps []step
	}{
		"requests refill continuously": {
			Limit{RPM: 3},
			[]step{
				{0, Cost{}, admitted},
				{0, Cost{}, admitted},
				{0, Cost{}, admitted},
				{0, Cost{}, refusal(RequestsPerMinute, 3, 3, 1, 20*s)},
				{20*s - ms, Cost{}, refusal(RequestsPerMinute, 3, 3, 1, 20*s)},
				{20 * s, Cost{}, admitted},
				{20 * s, Cost{}, refusal(RequestsPerMinute, 3, 3, 1, 20*s)},
				{40 * s, Cost{}, admitted},
			},
		},
		"token refusals print the numbers of a real message": {
			Limit{TPM: 30000},
			[]step{
				{0, Cost{Tokens: 14567}, admitted},
				{0, Cost{Tokens: 24754}, refusal(TokensPerMinute, 30000, 14567, 24754, 18642*ms)},
				{18641 * ms, Cost{Tokens: 24754}, refusal(TokensPerMinute, 30000, 5247, 24754, 2*ms)},
				{18642 * ms, Cost{Tokens: 24754}, admitted},
			},
		},
		"a small request passes where a large one is refused": {
			Limit{TPM: 30000},
			[]step{
				{0, Cost{Tokens: 22999}, admitted},
				{0, Cost{Tokens: 12528}, refusal(TokensPerMinute, 30000, 22999, 12528, 11054*ms)},
				{0, Cost{Tokens: 7001}, admitted},
			},
		},
		"days refill continuously too": {
			Limit{RPD: 200, RPM: 1000},
			append(repeat(200, step{0, Cost{}, admitted}),
				step{0, Cost{}, refusal(RequestsPerDay, 200, 200, 1, 7*time.Minute+12*s)},
				step{7*time.Minute + 12*s, Cost{}, admitted}),
		},
		"a request over the limit never fits": {
			Limit{TPM: 30000},
			[]step{{0, Cost{Tokens: 30601}, Decision{Dimension: TokensPerMinute, TooLarge: true, Limit: 30000, Used: 0, Requested: 30601}}},
		},
		"a burst is what the bucket holds": {
			Limit{RPM: 1200, Burst: s / 4},
			append(repeat(5, step{0, Cost{}, admitted}),
				step{0, Cost{}, refusal(RequestsPerMinute, 1200, 1200, 1, 50*ms)},
				step{50 * ms, Cost{}, admitted},
				step{time.Hour, Cost{}, admitted}),
		},
		"a request larger than the bucket waits for a full one and leaves debt": {
			Limit{TPM: 6000, Burst: s},
			[]step{
				{0, Cost{Tokens: 600}, admitted},
				{0, Cost{Tokens: 100}, refusal(TokensPerMinute, 6000, 6500, 100, 6*s)},
				{6 * s, Cost{Tokens: 100}, admitted},
				{6 * s, Cost{Tokens: 600}, refusal(TokensPerMinute, 6000, 5500, 600, s)},
			},
		},
		"quanta are lost when they are not used": {
			Limit{RPM: 120, Enforce: Quanta},
			[]step{
				{0, Cost{}, admitted},
				{0, Cost{}, admitted},
				{300 * ms, Cost{}, refusal(RequestsPerMinute, 120, 120, 1, 700*ms)},
				{s - 1, Cost{}, refusal(RequestsPerMinute, 120, 120, 1, 1)},
				{s, Cost{}, admitted},
				{10 * s, Cost{}, admitted},
				{10 * s, Cost{}, admitted},
				{10 * s, Cost{}, refusal(RequestsPerMinute, 120, 120, 1, s)},
			},
		},
		"a quantum under one unit becomes longer": {
			Limit{RPM: 30, Enforce: Quanta},
			[]step{
				{0, Cost{}, admitted},
				{s, Cost{}, refusal(RequestsPerMinute, 30, 30, 1, s)},
				{2 * s, Cost{}, admitted},
			},
		},
		"a request larger than a quantum takes the next ones too": {
			Limit{TPM: 6000, Enforce: Quanta},
			[]step{
				{0, Cost{Tokens: 250}, admitted},
				{0, Cost{Tokens: 100}, refusal(TokensPerMinute, 6000, 6150, 100, 3*s)},
				{2 * s, Cost{Tokens: 100}, refusal(TokensPerMinute, 6000, 5950, 100, s)},
				{3 * s, Cost{Tokens: 100}, admitted},
			},
		},
		"quanta leave day limits alone": {
			Limit{RPD: 10, Enforce: Quanta},
			append(repeat(10, step{0, Cost{}, admitted}), step{0, Cost{}, refusal(RequestsPerDay, 10, 10, 1, 144*time.Minute)}),
		},
		"windows begin with the minute of the clock": {
			Limit{RPM: 2, Enforce: Window},
			[]step{
				{50 * s, Cost{}, admitted},
				{50 * s, Cost{}, admitted},
				{50 * s, Cost{}, refusal(RequestsPerMinute, 2, 2, 1, 10*s)},
				{60 * s, Cost{}, admitted},
				{60 * s, Cost{}, admitted},
				{61 * s, Cost{}, refusal(RequestsPerMinute, 2, 2, 1, 59*s)},
			},
		},
		"windows of days begin at midnight": {
			Limit{RPD: 1, Enforce: Window},
			[]step{
				{0, Cost{}, admitted},
				{0, Cost{}, refusal(RequestsPerDay, 1, 1, 1, 12*time.Hour)},
				{12 * time.Hour, Cost{}, admitted},
			},
		},
		"refusals count when they are said to": {
			Limit{RPM: 60, Burst: s, CountRefusals: true},
			[]step{
				{0, Cost{}, admitted},
				{0, Cost{}, refusal(RequestsPerMinute, 60, 60, 1, s)},
				{0, Cost{}, refusal(RequestsPerMinute, 60, 61, 1, 2*s)},
				{s, Cost{}, refusal(RequestsPerMinute, 60, 61, 1, 2*s)},
				{4 * s, Cost{}, admitted},
			},
		},
		"refusals never count against tokens": {
			Limit{TPM: 60, CountRefusals: true},
			[]step{
				{0, Cost{Tokens: 60}, admitted},
				{0, Cost{Tokens: 1}, refusal(TokensPerMinute, 60, 60, 1, s)},
				{s, Cost{Tokens: 1}, admitted},
			},
		},
		"the formula's hint is too short for windows": {
			Limit{RPM: 60, Enforce: Window, Hint: Formula},
			append(repeat(60, step{0, Cost{}, admitted}), step{0, Cost{}, refusal(RequestsPerMinute, 60, 60, 1, s)}),
		},
		"without hints nothing is named": {
			Limit{RPM: 1, Hint: NoHint},
			[]step{{0, Cost{}, admitted}, {0, Cost{}, refusal(RequestsPerMinute, 1, 1, 1, 0)}},
		},
		"the longest wait is told": {
			Limit{RPM: 60, TPM: 60},
			append(repeat(60, step{0, Cost{Tokens: 1}, admitted}),
				step{0, Cost{Tokens: 30}, refusal(TokensPerMinute, 60, 60, 30, 30*s)},
				step{s, Cost{Tokens: 1}, admitted}),
		},
		"a dimension that refuses charges no other": {
			Limit{RPM: 2, TPM: 60},
			[]step{
				{0, Cost{Tokens: 60}, admitted},
				{0, Cost{Tokens: 1}, refusal(TokensPerMinute, 60, 60, 1, s)},
				{s, Cost{Tokens: 1}, admitted},
			},
		},
		"images are counted where there are any": {
			Limit{IPM: 5},
			[]step{
				{0, Cost{Images: 5}, admitted},
				{0, Cost{}, admitted},
				{0, Cost{Images: 2}, refusal(ImagesPerMinute, 5, 5, 2, 24*s)},
			},
		},
		"a clock that goes back changes nothing": {
			Limit{RPM: 1},
			[]step{{0, Cost{}, admitted}, {-time.Hour, Cost{}, refusal(RequestsPerMinute, 1, 1, 1, time.Minute)}},
		},
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			m := New([]Limit{story.limit})
			for i, s := range story.steps {
				got := m.Take(start.Add(s.at), "sk-a", "gpt-4o", s.cost)
				got.Levels = [dimensions]Level{}
				if got != s.want {
					t.Fatalf("step %d at %v:\n got %+v\nwant %+v", i, s.at, got, s.want)
				}
			}
		})
	}
}

func repeat(n int, s step) []step {
	var all []step
	for range n {
		all = append(all, s)
	}
	return all
}

func TestLevelsShowTheMinuteWhateverIsEnforced(t *testing.T) {
	tests := map[string]struct {
		limit Limit
		want  [dimensions]Level
	}{
		"refill": {Limit{RPM: 60, TPM: 6000}, [dimensions]Level{
			RequestsPerMinute: {60, 58, 2 * time.Second}, TokensPerMinute: {6000, 5800, 2 * time.Second},
		}},
		"quanta": {Limit{RPM: 600, Enforce: Quanta}, [dimensions]Level{RequestsPerMinute: {600, 598, 200 * time.Millisecond}}},
		"burst":  {Limit{RPM: 600, Burst: time.Second}, [dimensions]Level{RequestsPerMinute: {600, 598, 200 * time.Millisecond}}},
		"window": {Limit{RPM: 600, Enforce: Window}, [dimensions]Level{RequestsPerMinute: {600, 598, 55 * time.Second}}},
		"day":    {Limit{RPD: 200}, [dimensions]Level{RequestsPerDay: {200, 198, 864 * time.Second}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := New([]Limit{test.limit})
			now := start.Add(5 * time.Second)
			m.Take(now, "", "", Cost{Tokens: 100})
			got := m.Take(now, "", "", Cost{Tokens: 100}).Levels
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTheFirstMatchingLimitApplies(t *testing.T) {
	limits := []Limit{
		{Credential: "sk-free", RPM: 1},
		{Model: "o4*", RPM: 2},
		{Credential: "sk-org-*", Shared: true, RPM: 2},
	}
	type request struct{ credential, model string }
	tests := map[string]struct {
		requests []request
		want     []bool
	}{
		"by credential":                  {[]request{{"sk-free", "m"}, {"sk-free", "m"}, {"sk-paid", "m"}}, []bool{true, false, true}},
		"models have their own counts":   {[]request{{"sk-free", "m"}, {"sk-free", "n"}, {"sk-free", "n"}}, []bool{true, true, false}},
		"by model":                       {[]request{{"a", "o4-mini"}, {"a", "o4-mini"}, {"a", "o4-mini"}}, []bool{true, true, false}},
		"credentials have their own":     {[]request{{"a", "o4"}, {"a", "o4"}, {"b", "o4"}, {"a", "o4"}}, []bool{true, true, true, false}},
		"shared over keys and models":    {[]request{{"sk-org-1", "m"}, {"sk-org-2", "n"}, {"sk-org-3", "o"}}, []bool{true, true, false}},
		"no limit for what none names":   {[]request{{"x", "m"}, {"x", "m"}, {"x", "m"}}, []bool{true, true, true}},
		"the earlier one wins over both": {[]request{{"sk-free", "o4"}, {"sk-free", "o4"}}, []bool{true, false}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := New(limits)
			var got []bool
			for _, r := range test.requests {
				got = append(got, m.Take(start, r.credential, r.model, Cost{}).Admitted)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAWaitThatIsNamedIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{
			RPM:     rapid.IntRange(0, 5000).Draw(t, "rpm"),
			TPM:     rapid.IntRange(0, 2_000_000).Draw(t, "tpm"),
			RPD:     rapid.IntRange(0, 10_000).Draw(t, "rpd"),
			Enforce: rapid.SampledFrom([]Enforcement{Refill, Quanta, Window}).Draw(t, "enforce"),
			Burst:   time.Duration(rapid.IntRange(0, 90).Draw(t, "burst")) * time.Second,
		}
		m, now := New([]Limit{l}), start.Add(time.Duration(rapid.IntRange(0, 1e9).Draw(t, "ns")))
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3e9).Draw(t, "gap")))
			cost := Cost{Tokens: rapid.IntRange(0, max(1, l.TPM)).Draw(t, "tokens")}
			d := m.Take(now, "", "", cost)
			if d.Admitted || d.TooLarge {
				continue
			}
			if d.Wait <= 0 {
				t.Fatalf("refused without a wait: %+v", d)
			}
			now = now.Add(d.Wait)
			if again := m.Take(now, "", "", cost); !again.Admitted {
				t.Fatalf("refused again after %v: %+v then %+v", d.Wait, d, again)
			}
		}
	})
}

func TestNoMoreIsAdmittedThanTheLimitAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{
			RPM:     rapid.IntRange(1, 500).Draw(t, "rpm"),
			Enforce: rapid.SampledFrom([]Enforcement{Refill, Quanta, Window}).Draw(t, "enforce"),
		}
		m, count := New([]Limit{l}), 0
		gap := time.Duration(rapid.IntRange(5e7, 1e9).Draw(t, "gap"))
		for at := time.Duration(0); at < 2*time.Minute; at += gap {
			if m.Take(start.Add(at), "", "", Cost{}).Admitted {
				count++
			}
		}
		// Two minutes' worth; for Refill the full bucket at the start, for Quanta
		// the share that was running then.
		most := map[Enforcement]int{Refill: 3 * l.RPM, Quanta: 2*l.RPM + max(1, l.RPM/60), Window: 2 * l.RPM}[l.Enforce]
		if count > most {
			t.Fatalf("%d admitted in two minutes of %+v", count, l)
		}
	})
}

func TestCountsAreBounded(t *testing.T) {
	m := New([]Limit{{RPM: 1}})
	for i := range maxCounts + 10 {
		m.Take(start, fmt.Sprint("sk-", i), "m", Cost{})
	}
	if got := len(m.counts); got > maxCounts {
		t.Errorf("%d counts are kept, want at most %d", got, maxCounts)
	}
	m.Take(start.Add(time.Hour), "sk-new", "m", Cost{})
	if got := len(m.counts); got != 1 {
		t.Errorf("%d counts are kept after all others filled up, want 1", got)
	}
}

func TestReplaceForgetsWhatWasUsed(t *testing.T) {
	m := New([]Limit{{RPM: 1}})
	m.Take(start, "a", "m", Cost{})
	m.Replace([]Limit{{RPM: 1}})
	if !m.Take(start, "a", "m", Cost{}).Admitted {
		t.Error("refused after Replace")
	}
	if got, want := m.Limits(), []Limit{{RPM: 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("Limits() = %v, want %v", got, want)
	}
}
