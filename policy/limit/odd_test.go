package limit

import (
	"testing"
	"time"
)

// tell answers n requests, a tenth of a second apart from d on, with a limit on
// requests or without one, and returns when the next would go.
func tell(t *testing.T, l *Limiter, d time.Duration, n int, limit float64) time.Duration {
	t.Helper()
	for range n {
		w := pass(t, l, d, &Waiter{})
		var h Headers
		if limit > 0 {
			h.Readings = []Reading{{Dimension: "requests", Limit: limit, Remaining: limit - 1, Reset: -1}}
		}
		l.Answered(at(d), w, h)
		d += 100 * time.Millisecond
	}
	return d
}

// TestALimitThatAppearsOnceIsNotBelieved: until a second answer says the same.
func TestALimitThatAppearsOnceIsNotBelieved(t *testing.T) {
	type step struct {
		answers int
		limit   float64
	}
	tests := map[string]struct {
		steps   []step
		want    float64
		ignored int
	}{
		"told from the start":               {[]step{{1, 7}}, 7, 0},
		"amid answers that tell nothing":    {[]step{{12, 0}, {1, 7}, {12, 0}}, 0, 1},
		"twice":                             {[]step{{12, 0}, {2, 700}}, 700, 1},
		"and another one":                   {[]step{{12, 0}, {1, 700}, {1, 9}}, 0, 2},
		"far under the one that is told":    {[]step{{12, 700}, {1, 7}, {3, 700}}, 700, 1},
		"a fall that goes on":               {[]step{{3, 700}, {2, 100}}, 100, 1},
		"half of it":                        {[]step{{12, 700}, {1, 350}}, 350, 0},
		"the same, after some tell nothing": {[]step{{3, 700}, {12, 0}, {1, 700}}, 700, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			l.ramp.Stop()
			now := time.Duration(0)
			for _, s := range tt.steps {
				now = tell(t, l, now, s.answers, s.limit)
			}
			if got := l.toldLimit(slotRequests); got != tt.want {
				t.Errorf("the limit is %v, want %v", got, tt.want)
			}
			if got := l.counts.IgnoredHeaders; got != tt.ignored {
				t.Errorf("%d headers ignored, want %d", got, tt.ignored)
			}
		})
	}
}

func TestAnUnrepeatedLimitComesBackTooLateToBeBelieved(t *testing.T) {
	l := New(learning, origin)
	l.ramp.Stop()
	now := tell(t, l, 0, 12, 0)
	now = tell(t, l, now, 1, 7)
	tell(t, l, now+outlierTime, 1, 7)
	if got := l.toldLimit(slotRequests); got != 0 {
		t.Errorf("a limit of %v is believed, told twice in %v", got, outlierTime)
	}
}

// TestALimitThatNoAnswerRepeatsIsForgotten: it keeps out what would refute it.
func TestALimitThatNoAnswerRepeatsIsForgotten(t *testing.T) {
	l := New(learning, origin)
	l.ramp.Stop()
	now := tell(t, l, 0, 1, 7)
	for i := range unsaidMost {
		if l.toldLimit(slotRequests) == 0 {
			t.Fatalf("forgotten after %d answers", i)
		}
		now += 10 * time.Second
		tell(t, l, now, 1, 0)
	}
	if got := l.toldLimit(slotRequests); got != 0 {
		t.Errorf("%v is still believed after %d answers without it", got, unsaidMost)
	}
}

// TestTokensRefuteALimitFarUnderWhatPasses: estimates may be ten times too high.
func TestTokensRefuteALimitFarUnderWhatPasses(t *testing.T) {
	for limit, want := range map[float64]float64{5: 0, 400: 400} {
		l := New(learning, origin)
		for range 4 {
			w := pass(t, l, 0, &Waiter{Tokens: 1000})
			l.Answered(at(0), w, Headers{})
		}
		for range 2 {
			l.learnHeaders(at(0), &Waiter{}, Headers{Readings: []Reading{{Dimension: "tokens", Limit: limit, Remaining: -1, Reset: -1}}}, true)
		}
		if got := l.toldLimit(slotTokens); got != want {
			t.Errorf("told %v tokens per minute, %v is believed, want %v", limit, got, want)
		}
	}
}
