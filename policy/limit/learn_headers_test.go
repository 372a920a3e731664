package limit

import (
	"testing"
	"time"
)

// known is what a test looks at of a snapshot's bucket.
type known struct {
	dimension string
	limit     float64
	window    time.Duration
	source    Source
}

func knownOf(s Snapshot) []known {
	var out []known
	for _, b := range s.Buckets {
		out = append(out, known{b.Dimension, b.Limit, b.Window, b.Source})
	}
	return out
}

// answer sends a request at d and answers it a moment later.
func (l *Limiter) answer(t *testing.T, d time.Duration, w *Waiter, h map[string][]string) {
	t.Helper()
	pass(t, l, d, w)
	l.Answered(at(d+time.Millisecond), w, ParseHeaders(h, at(d)))
}

func limits(what, limit, remaining, reset string) map[string][]string {
	return header("X-Ratelimit-Limit-"+what, limit, "X-Ratelimit-Remaining-"+what, remaining, "X-Ratelimit-Reset-"+what, reset)
}

func TestTheWindowOfALimitIsImplied(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		headers []map[string][]string
		want    []known
	}{
		"a minute, exactly": {
			[]map[string][]string{limits("Requests", "1200", "1199", "50ms")},
			[]known{{"requests", 1200, time.Minute, SourceHeader}},
		},
		"a day, by a long reset": {
			[]map[string][]string{limits("Requests", "200", "199", "7m12s")},
			[]known{{"requests_long", 200, day, SourceHeader}},
		},
		"Groq's requests are per day and its tokens per minute": {
			[]map[string][]string{{
				"X-Ratelimit-Limit-Requests": {"14400"}, "X-Ratelimit-Remaining-Requests": {"14370"}, "X-Ratelimit-Reset-Requests": {"2m59.56s"},
				"X-Ratelimit-Limit-Tokens": {"12000"}, "X-Ratelimit-Remaining-Tokens": {"10468"}, "X-Ratelimit-Reset-Tokens": {"7.66s"},
			}},
			[]known{{"tokens", 12000, time.Minute, SourceHeader}, {"requests_long", 14400, day, SourceHeader}},
		},
		"nonsense counts per minute (OpenAI's own sample)": {
			[]map[string][]string{limits("Tokens", "150000", "149984", "6m0s")},
			[]known{{"tokens", 150000, time.Minute, SourceHeader}},
		},
		"a coarse reset proves nothing": {
			[]map[string][]string{limits("Requests", "14400", "14399", "6s")},
			[]known{{"requests", 14400, time.Minute, SourceHeader}},
		},
		"an hour within a minute needs a second answer": {
			[]map[string][]string{limits("Requests", "1200", "1188", "36.00s")},
			[]known{{"requests", 1200, time.Minute, SourceHeader}},
		},
		"and the second must have another usage": {
			[]map[string][]string{limits("Requests", "1200", "1188", "36.00s"), limits("Requests", "1200", "1187", "38.10s")},
			[]known{{"requests", 1200, time.Minute, SourceHeader}},
		},
		"a second answer that agrees": {
			[]map[string][]string{limits("Requests", "1200", "1194", "18.00s"), limits("Requests", "1200", "1184", "48.00s")},
			[]known{{"requests_long", 1200, time.Hour, SourceHeader}},
		},
		"a fixed minute's end is no hour, whatever was used": {
			[]map[string][]string{limits("Requests", "1200", "1190", "39.87s"), limits("Requests", "1200", "1184", "39.87s")},
			[]known{{"requests", 1200, time.Minute, SourceHeader}},
		},
		"the first unsure reading is corrected": {
			[]map[string][]string{limits("Requests", "14400", "14399", "6s"), limits("Requests", "14400", "14370", "2m59.56s")},
			[]known{{"requests_long", 14400, day, SourceHeader}},
		},
		"a sure window stays when the next answer is coarse": {
			[]map[string][]string{limits("Requests", "14400", "14370", "2m59.56s"), limits("Requests", "14400", "14399", "6s")},
			[]known{{"requests_long", 14400, day, SourceHeader}},
		},
		"a window that is named": {
			[]map[string][]string{header("X-Ratelimit-Limit-Requests-Day", "1000", "X-Ratelimit-Remaining-Requests-Day", "900")},
			[]known{{"requests_long", 1000, day, SourceHeader}},
		},
		"the minute's limit and the day's side by side": {
			[]map[string][]string{limits("Requests", "500", "499", "120ms"), limits("Requests", "10000", "499", "22h48m19.2s")},
			[]known{{"requests", 500, time.Minute, SourceHeader}, {"requests_long", 10000, day, SourceHeader}},
		},
		"a limit without the rest": {
			[]map[string][]string{header("X-Ratelimit-Limit-Requests", "60")},
			[]known{{"requests", 60, time.Minute, SourceHeader}},
		},
		"more left than allowed":   {[]map[string][]string{limits("Requests", "10", "11", "1s")}, nil},
		"no limit at all":          {[]map[string][]string{limits("Requests", "0", "0", "1s")}, nil},
		"only what is left":        {[]map[string][]string{header("X-Ratelimit-Remaining-Requests", "5")}, nil},
		"only a reset":             {[]map[string][]string{header("X-Ratelimit-Reset", "7")}, nil},
		"Azure's minus one":        {[]map[string][]string{limits("Tokens", "-1", "-1", "0")}, nil},
		"a dimension nobody knows": {[]map[string][]string{limits("Bananas", "10", "1", "1s")}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			for i, h := range tt.headers {
				l.answer(t, time.Duration(i)*10*time.Second, &Waiter{Tokens: 10}, h)
			}
			got := knownOf(l.Snapshot(at(time.Minute)))
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestWithoutLearningHeadersChangeNothing(t *testing.T) {
	l := New(Settings{}, origin)
	l.answer(t, 0, &Waiter{}, limits("Requests", "1", "0", "60.00s"))
	pass(t, l, time.Second, &Waiter{})
	if got := l.Snapshot(at(time.Second)); len(got.Buckets) > 0 {
		t.Errorf("got %+v, want no buckets", got)
	}
}

func TestAConfiguredLimitIsNotExceededWhateverAHeaderSays(t *testing.T) {
	l := New(Settings{RPM: 600, Learn: true}, origin)
	l.answer(t, 0, &Waiter{}, limits("Requests", "100000", "99999", "600.0µs"))
	if got := l.Snapshot(at(time.Second)).Buckets[0]; got.Source != SourceConfigured || got.Rate > 9.8 {
		t.Errorf("got %+v, want the configured limit", got)
	}
	l.answer(t, 10*time.Second, &Waiter{}, limits("Requests", "60", "59", "1.00s"))
	if got := l.Snapshot(at(10 * time.Second)).Buckets[0]; got.Source != SourceHeader || got.Rate > 0.98 {
		t.Errorf("got %+v, want the header's lower limit", got)
	}
	l.answer(t, 20*time.Second, &Waiter{}, limits("Requests", "100000", "99999", "600.0µs"))
	if got := l.Snapshot(at(20 * time.Second)).Buckets[0]; got.Source != SourceConfigured || got.Rate > 9.8 {
		t.Errorf("got %+v, want the configured limit again", got)
	}
}

func TestWhatRemainsIsACap(t *testing.T) {
	l := New(learning, origin)
	a, b, c := &Waiter{}, &Waiter{}, &Waiter{}
	for i, w := range []*Waiter{a, b, c} {
		pass(t, l, time.Duration(i)*time.Microsecond, w)
	}
	// 100 were left when a was sent: two have gone since, and in two seconds 40 came.
	l.Answered(at(2*time.Second), a, ParseHeaders(limits("Requests", "1200", "100", "55.00s"), origin))
	if got := l.Snapshot(at(2 * time.Second)).Buckets[0].Remaining; got < 137.9 || got > 138.1 {
		t.Errorf("%v remaining, want 100 - 2 + 40", got)
	}
	// More is never given.
	l.Answered(at(2*time.Second), c, ParseHeaders(limits("Requests", "1200", "1100", "5.00s"), origin))
	if got := l.Snapshot(at(2 * time.Second)).Buckets[0].Remaining; got > 138.1 {
		t.Errorf("%v remaining, want no more than before", got)
	}
	// An answer to an earlier request than the last is old.
	l.Answered(at(2*time.Second), b, ParseHeaders(limits("Requests", "1200", "1", "59.95s"), origin))
	if got := l.Snapshot(at(2 * time.Second)).Buckets[0].Remaining; got > 138.1 {
		t.Errorf("%v remaining", got)
	}
}

func TestWhereTheWindowIsUnsureNothingLeftHoldsUntilTheReset(t *testing.T) {
	l := New(learning, origin)
	l.answer(t, 0, &Waiter{}, limits("Requests", "1200", "0", "43.21s")) // a fixed minute
	w := &Waiter{}
	if d := l.Enter(at(10*time.Millisecond), w); d.Reason != Queued {
		t.Fatalf("got %v, want Queued", d)
	}
	// One may try after a second, since a header can be wrong.
	if got := admits(l, 900*time.Millisecond); got != nil {
		t.Error("admitted before a second has passed")
	}
	if got := admits(l, 1011*time.Millisecond); len(got) != 1 {
		t.Fatalf("after a second %d were admitted, want one to try", len(got))
	}
	l.Sent(at(1011*time.Millisecond), w)
	l.Enter(at(1100*time.Millisecond), &Waiter{})
	if got := admits(l, 4*time.Second); got != nil {
		t.Error("a second one went before three more seconds")
	}
	if got := admits(l, 4100*time.Millisecond); len(got) != 1 {
		t.Errorf("%d were admitted, want a second one to try", len(got))
	}
	l.Enter(at(5*time.Second), &Waiter{})
	if got := admits(l, 43300*time.Millisecond); len(got) != 1 {
		t.Errorf("after the reset %d were admitted, want all", len(got))
	}
}

func TestAHeaderThatIsAlwaysWrongIsNotBelieved(t *testing.T) {
	l := New(learning, origin)
	wrong := limits("Requests", "1200", "0", "30s")
	l.answer(t, 0, &Waiter{}, wrong)
	w := &Waiter{}
	l.Enter(at(10*time.Millisecond), w)
	if got := admits(l, 1011*time.Millisecond); len(got) != 1 {
		t.Fatalf("%d admitted, want one to try", len(got))
	}
	l.Sent(at(1011*time.Millisecond), w)
	l.Answered(at(1100*time.Millisecond), w, ParseHeaders(wrong, origin))
	for i := range 100 {
		l.answer(t, 2*time.Second+time.Duration(i)*60*time.Millisecond, &Waiter{}, wrong)
	}
	if got := l.Snapshot(at(10 * time.Second)).Counters.IgnoredHeaders; got == 0 {
		t.Error("nothing was counted")
	}
}

func TestFarMoreThanALimitRefutesIt(t *testing.T) {
	s := newSimulation(1, learning, near, &upstream{})
	now := s.run(burst(300, 10, 10*time.Millisecond), 0).end
	s.limiter.last = at(now)
	s.limiter.answer(t, now, &Waiter{}, limits("Requests", "5", "4", "12.00s"))
	got := s.limiter.Snapshot(at(now))
	if len(got.Buckets) > 0 || got.Counters.IgnoredHeaders != 1 {
		t.Errorf("got %+v, want the header ignored", got)
	}
}

func TestTheTokenFactorIsMeasured(t *testing.T) {
	// Estimates are four times what the upstream counts.
	up := &upstream{told: told{headers: true}, meters: []*meter{newMeter(origin, "tokens", 60_000, time.Minute, refill, 60_000)}}
	s := newSimulation(1, learning, near, up)
	up.scale = 0.25
	jobs := burst(600, 400, 100*time.Millisecond)
	for i, j := range jobs {
		j.at = time.Duration(i) * 200 * time.Millisecond
	}
	r := s.run(jobs, 0)
	factor := s.limiter.bucket(slotTokens).factor()
	if r.ok != 600 || r.refused > 0 || factor < 0.2 || factor > 0.35 {
		t.Errorf("%d of 600, %d refused, factor %.2f, want all, none, and about 0.25", r.ok, r.refused, factor)
	}
	if r.last > 130*time.Second {
		t.Errorf("the last went at %v, want within 2 minutes of the first: they use 30,000 per minute", r.last)
	}
}

func TestTheHeadersOfARefusalRefuteNothing(t *testing.T) {
	l := New(learning, origin)
	empty := limits("Requests", "1200", "0", "43.21s")
	l.answer(t, 0, &Waiter{}, empty)
	w := &Waiter{}
	l.Enter(at(10*time.Millisecond), w)
	admits(l, 1011*time.Millisecond) // one may try
	l.Sent(at(1011*time.Millisecond), w)
	l.Refused(at(1020*time.Millisecond), w, Refusal{Dimension: "requests", Headers: ParseHeaders(empty, origin)})
	if got := admits(l, 3*time.Second); got != nil {
		t.Error("the refusal of the one that tried was taken for proof that the header is wrong")
	}
	// Nor does one show what a request costs: it was not charged.
	l = New(learning, origin)
	v := pass(t, l, 0, &Waiter{Tokens: 1000})
	l.Refused(at(time.Millisecond), v, Refusal{Dimension: "tokens", Headers: ParseHeaders(limits("Tokens", "60000", "59990", "10ms"), origin)})
	if got := l.bucket(slotTokens).factor(); got != 1 {
		t.Errorf("the factor is %v, want 1", got)
	}
}
