package limit

import (
	"math"
	"testing"
	"time"
)

const day = 24 * time.Hour

func TestARefusalsArithmeticProvesItsLimit(t *testing.T) {
	tests := map[string]struct {
		r     Refusal
		proof time.Duration
	}{
		"OpenAI RPM 3":             {Refusal{Limit: 3, Used: 3, Requested: 1, Hint: 20 * time.Second, Window: time.Minute}, time.Minute},
		"OpenAI RPD 50":            {Refusal{Limit: 50, Used: 50, Requested: 1, Hint: 28*time.Minute + 48*time.Second, Window: day}, day},
		"OpenAI RPD 200":           {Refusal{Limit: 200, Used: 200, Requested: 1, Hint: 7*time.Minute + 12*time.Second, Window: day}, day},
		"OpenAI RPD 2000":          {Refusal{Limit: 2000, Used: 2000, Requested: 1, Hint: 43200 * time.Millisecond}, day},
		"OpenAI TPM, 11.054s":      {Refusal{Limit: 30000, Used: 22999, Requested: 12528, Hint: 11054 * time.Millisecond, Window: time.Minute}, time.Minute},
		"OpenAI TPM, 1.898s":       {Refusal{Limit: 30000, Used: 6899, Requested: 24050, Hint: 1898 * time.Millisecond, Window: time.Minute}, time.Minute},
		"OpenAI TPM, 18.642s":      {Refusal{Limit: 30000, Used: 14567, Requested: 24754, Hint: 18642 * time.Millisecond}, time.Minute},
		"Groq TPM, 11.455s":        {Refusal{Limit: 12000, Used: 4437, Requested: 9854, Hint: 11455 * time.Millisecond, Window: time.Minute}, time.Minute},
		"Groq TPM, 1.984999999s":   {Refusal{Limit: 12000, Used: 2542, Requested: 9855, Hint: 1984999999, Window: time.Minute}, time.Minute},
		"Groq TPD":                 {Refusal{Limit: 100000, Used: 97050, Requested: 3619, Hint: 9*time.Minute + 38016*time.Millisecond, Window: day}, day},
		"Groq, 1.6 % off, unnamed": {Refusal{Limit: 131072, Used: 130385, Requested: 731, Hint: 28542992187}, day},
		"another window is named":  {Refusal{Limit: 3, Used: 3, Requested: 1, Hint: 20 * time.Second, Window: day}, 0},
		"it does not fit":          {Refusal{Limit: 3, Used: 3, Requested: 1, Hint: 33 * time.Second}, 0},
		"nothing is missing":       {Refusal{Limit: 100, Used: 50, Requested: 10, Hint: time.Second}, 0},
		"no hint":                  {Refusal{Limit: 3, Used: 3, Requested: 1, Window: time.Minute}, 0},
		"nothing":                  {Refusal{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.r.proof(); got != tt.proof {
				t.Errorf("got %v, want %v", got, tt.proof)
			}
		})
	}
}

func TestATextWithoutProofIsAnEstimateAtMost(t *testing.T) {
	tests := map[string]struct {
		r    Refusal
		want time.Duration
	}{
		"no hint":                 {Refusal{Limit: 3, Used: 3, Window: time.Minute}, time.Minute},
		"over its limit already":  {Refusal{Limit: 16000, Used: 65605, Window: time.Minute}, time.Minute},
		"five minutes (images)":   {Refusal{Limit: 25, Used: 27, Window: 5 * time.Minute}, 5 * time.Minute},
		"a longer wait":           {Refusal{Limit: 1200, Used: 1200, Requested: 1, Hint: time.Second, Window: time.Minute}, time.Minute},
		"a much shorter wait":     {Refusal{Limit: 3, Used: 3, Requested: 1, Hint: 7 * time.Millisecond, Window: time.Minute}, 0},
		"a day":                   {Refusal{Limit: 50, Used: 50, Requested: 1, Hint: 10 * time.Hour, Window: day}, 0},
		"no window":               {Refusal{Limit: 50}, 0},
		"a window without number": {Refusal{Window: time.Minute}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.r.plain(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAbsurdNumbersCountAsNotTold(t *testing.T) {
	got, bad := Refusal{
		Hint: -time.Second, Dimension: "requests", Limit: math.NaN(), Used: math.Inf(1), Requested: -3, Window: time.Millisecond,
	}.clean()
	if want := (Refusal{Dimension: "requests"}); got.Limit != 0 || got.Used != 0 || got.Requested != 0 || got.Hint != 0 || got.Window != 0 || bad != 5 {
		t.Errorf("got %+v and %d bad, want %+v and 5", got, bad, want)
	}
	got, bad = Refusal{Hint: 1000 * day, Limit: 0.5, Used: 2e12, Window: 1000 * day}.clean()
	if got.Limit != 0 || got.Used != 0 || got.Hint != 0 || got.Window != 0 || bad != 4 {
		t.Errorf("got %+v and %d bad, want nothing and 4", got, bad)
	}
}

// refuse sends w at d and refuses it a millisecond later.
func (l *Limiter) refuse(t *testing.T, d time.Duration, w *Waiter, r Refusal) Decision {
	t.Helper()
	pass(t, l, d, w)
	return l.Refused(at(d+time.Millisecond), w, r)
}

func TestAProvenTextSetsLimitAndLevel(t *testing.T) {
	tests := map[string]struct {
		r    Refusal
		want known
		wait time.Duration // of one like it; 2 % longer than the hint, plus what is spared
	}{
		"requests per minute": {
			Refusal{Dimension: "requests", Limit: 60, Used: 60, Requested: 1, Hint: time.Second, Window: time.Minute},
			known{"requests", 60, time.Minute, SourceText},
			1100 * time.Millisecond,
		},
		"tokens per minute": {
			Refusal{Dimension: "tokens", Limit: 30000, Used: 29000, Requested: 2000, Hint: 2 * time.Second, Window: time.Minute},
			known{"tokens", 30000, time.Minute, SourceText},
			2100 * time.Millisecond,
		},
		"requests per day": {
			Refusal{Dimension: "requests", Limit: 50, Used: 50, Requested: 1, Hint: 1728 * time.Second, Window: day},
			known{"requests_long", 50, day, SourceText},
			1728100 * time.Millisecond,
		},
		"tokens per day": {
			Refusal{Dimension: "tokens", Limit: 100000, Used: 97050, Requested: 3619, Hint: 578016 * time.Millisecond},
			known{"tokens_long", 100000, day, SourceText},
			578100 * time.Millisecond,
		},
		"input tokens": {
			Refusal{Dimension: "input_tokens", Limit: 60000, Used: 60000, Requested: 2000, Hint: 2 * time.Second, Window: time.Minute},
			known{"input_tokens", 60000, time.Minute, SourceText},
			2100 * time.Millisecond,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			d := l.refuse(t, 0, &Waiter{Tokens: max(1, int(tt.r.Requested))}, tt.r)
			if d.Reason != Queued || d.Wait < tt.wait*100/98 || d.Wait > tt.wait*103/98 {
				t.Errorf("got %v, want Queued for about %v", d, tt.wait*100/98)
			}
			if got := knownOf(l.Snapshot(at(time.Millisecond))); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDayLimitsAreAnsweredAtOnceAndCostNothing(t *testing.T) {
	l := New(learning, origin)
	r := Refusal{Dimension: "requests", Limit: 50, Used: 50, Requested: 1, Hint: 1728 * time.Second, Window: day}
	w := &Waiter{Deadline: at(10 * time.Minute)}
	if d := l.refuse(t, 0, w, r); d.Reason != TooLate || d.Wait < 1728*time.Second {
		t.Errorf("the refused one was told %v, want TooLate", d)
	}
	for i := range 5 {
		w := &Waiter{Deadline: at(time.Duration(i)*time.Minute + 10*time.Minute)}
		if d := l.Enter(at(time.Duration(i)*time.Minute), w); d.Reason != TooLate || d.Wait < 20*time.Minute {
			t.Errorf("minute %d: %v, want TooLate", i, d)
		}
	}
	if d := l.Enter(at(1766*time.Second), &Waiter{Deadline: at(40 * time.Minute)}); d.Reason != Admitted {
		t.Errorf("after the wait: %v, want it admitted", d)
	}
	if d := l.Enter(at(1767*time.Second), &Waiter{Deadline: at(40 * time.Minute)}); d.Reason != TooLate {
		t.Errorf("the next: %v, want TooLate", d)
	}
}

func TestWhatIsLargerThanAProvenLimitNeverFits(t *testing.T) {
	t.Run("configured", func(t *testing.T) {
		l := New(Settings{TPM: 30000}, origin)
		if d := l.Enter(origin, &Waiter{Tokens: 30001}); d != (Decision{Reason: NeverFits}) {
			t.Errorf("got %v", d)
		}
		pass(t, l, 0, &Waiter{Tokens: 30000})
	})
	t.Run("the refusal says so", func(t *testing.T) {
		l := New(learning, origin)
		w := &Waiter{Tokens: 30601}
		if d := l.refuse(t, 0, w, Refusal{Dimension: "tokens", Limit: 30000, Requested: 30601, Window: time.Minute}); d.Reason != NeverFits {
			t.Errorf("got %v", d)
		}
		pass(t, l, time.Second, &Waiter{Tokens: 100}) // nobody else is held up
	})
	t.Run("Groq names a wait all the same", func(t *testing.T) {
		l := New(learning, origin)
		r := Refusal{Dimension: "tokens", Limit: 7000, Requested: 12903, Used: 0.0, Hint: 50597142857, Window: time.Minute}
		if d := l.refuse(t, 0, &Waiter{Tokens: 12903}, r); d.Reason != NeverFits {
			t.Errorf("got %v", d)
		}
		pass(t, l, time.Second, &Waiter{Tokens: 100})
	})
	t.Run("a header proves it", func(t *testing.T) {
		l := New(learning, origin)
		l.answer(t, 0, &Waiter{Tokens: 1000}, limits("Tokens", "30000", "29000", "2.000s"))
		if d := l.Enter(at(time.Second), &Waiter{Tokens: 30001}); d.Reason != NeverFits {
			t.Errorf("got %v", d)
		}
	})
	t.Run("an unsure window proves nothing", func(t *testing.T) {
		l := New(learning, origin)
		l.answer(t, 0, &Waiter{Tokens: 1000}, limits("Tokens", "30000", "29000", "1s"))
		if d := l.Enter(at(time.Second), &Waiter{Tokens: 30001}); d.Reason != Queued {
			t.Errorf("got %v, want Queued until the account is full", d)
		}
	})
	t.Run("what was let through once fits", func(t *testing.T) {
		l := New(learning, origin)
		big := pass(t, l, 0, &Waiter{Tokens: 50000})
		l.answer(t, 0, &Waiter{Tokens: 1000}, limits("Tokens", "30000", "29000", "2.000s"))
		l.Answered(at(time.Second), big, Headers{})
		if d := l.Enter(at(2*time.Second), &Waiter{Tokens: 50000}); d.Reason == NeverFits {
			t.Errorf("got %v", d)
		}
	})
}

func TestAHintHoldsEverybody(t *testing.T) {
	for name, set := range map[string]Settings{"learning": learning, "not learning": {}, "configured": {RPM: 6000}} {
		t.Run(name, func(t *testing.T) {
			l := New(set, origin)
			w := &Waiter{}
			if d := l.refuse(t, 0, w, Refusal{Hint: 5 * time.Second}); d.Reason != Queued || d.Wait < 5*time.Second || d.Wait > 7*time.Second {
				t.Errorf("got %v, want Queued for 5s", d)
			}
			for range 200 {
				l.Enter(at(time.Second), &Waiter{})
			}
			if got := admits(l, 5*time.Second); len(got) != 0 {
				t.Errorf("%d were admitted before the hint ended", len(got))
			}
			// Never all at once: the first alone, and the others spread.
			sent := 0
			for now := 5 * time.Second; now < 5200*time.Millisecond; now += time.Millisecond {
				got := admits(l, now)
				if len(got) > 15 {
					t.Errorf("%d at once at %v", len(got), now)
				}
				if sent == 0 && len(got) > 0 && (len(got) != 1 || got[0] != w) {
					t.Errorf("the first to go are %d, want the refused one alone", len(got))
				}
				for _, w := range got {
					l.Sent(at(now), w)
				}
				sent += len(got)
			}
			if sent > 60 {
				t.Errorf("%d of 201 within 200ms of the hint's end, want them spread", sent)
			}
		})
	}
}

// TestLongHintsNowAndThenHoldNobody has one refusal of nine.
func TestLongHintsNowAndThenHoldNobody(t *testing.T) {
	l := New(learning, origin)
	l.ramp.Stop()
	for i := range 5 * doubtLeast {
		now := time.Duration(i) * time.Second
		w := &Waiter{}
		if d := l.refuse(t, now, w, Refusal{Hint: day}); d.Reason != Queued || d.Wait > 0 {
			t.Fatalf("refusal %d: got %v, want it to go again at once", i, d)
		}
		l.Leave(at(now), w)
		tell(t, l, now, 8, 0)
	}
	if got := l.Snapshot(at(time.Minute)).Counters; got.IgnoredHints != 5*doubtLeast {
		t.Errorf("got %+v, want each hint counted", got)
	}
}

func TestLongHintsWithoutProofCostAMinuteAndOneTry(t *testing.T) {
	l := New(learning, origin)
	w := &Waiter{}
	r := Refusal{Hint: day}
	for range doubtLeast - 1 {
		l.refuse(t, 0, &Waiter{}, r)
		l.Leave(at(0), l.queue.head())
	}
	if d := l.refuse(t, 0, w, r); d.Reason != Queued || d.Wait != time.Minute {
		t.Fatalf("got %v, want Queued for a minute", d)
	}
	others := make([]*Waiter, 5)
	for i := range others {
		others[i] = &Waiter{}
		l.Enter(at(time.Second), others[i])
	}
	now := time.Minute + time.Millisecond
	if got := admits(l, now); len(got) != 1 || got[0] != w {
		t.Fatalf("after a minute %d went, want the refused one alone", len(got))
	}
	l.Sent(at(now), w)
	// Told the same again, it is over: it must not block the others for ever.
	if d := l.Refused(at(now+time.Millisecond), w, r); d.Reason != TooLate || d.Wait < day {
		t.Errorf("got %v, want TooLate", d)
	}
	now += 2*time.Minute + 2*time.Millisecond
	got := admits(l, now)
	if len(got) != 1 {
		t.Fatalf("%d tried next, want one, after twice as long", len(got))
	}
	l.Sent(at(now), got[0])
	l.Answered(at(now+10*time.Millisecond), got[0], Headers{})
	if got := admits(l, now+200*time.Millisecond); len(got) != 4 {
		t.Errorf("once it was let through %d went, want all", len(got))
	}
	if got := l.Snapshot(at(now)).Counters; got.IgnoredHints != doubtLeast+1 || got.Refusals != doubtLeast+1 {
		t.Errorf("got %+v, want all hints counted", got)
	}
}

func TestAFalseHintIsNoHint(t *testing.T) {
	l := New(learning, origin)
	w := &Waiter{}
	if d := l.refuse(t, 0, w, Refusal{Hint: day, HintFalse: true}); d.Reason != Queued || d.Wait != firstPause {
		t.Errorf("got %v, want Queued for %v", d, firstPause)
	}
	got := admits(l, time.Second)
	if len(got) != 1 {
		t.Fatalf("%d admitted", len(got))
	}
	l.Sent(at(time.Second), w)
	if d := l.Refused(at(time.Second), w, Refusal{Hint: day, HintFalse: true}); d.Reason != TooLate {
		t.Errorf("the second time: %v, want TooLate", d)
	}
}

func TestWhatIsNotCountedPausesAndShrinksNothing(t *testing.T) {
	for name, r := range map[string]Refusal{
		"concurrency": {Dimension: "concurrency"}, "seconds of audio": {Dimension: "audio_seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			w := &Waiter{}
			now := time.Duration(0)
			for _, want := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
				if d := l.Enter(at(now), w); d.Reason != Admitted && d.Reason != Queued {
					t.Fatalf("got %v", d)
				}
				admits(l, now)
				l.Sent(at(now), w)
				if d := l.Refused(at(now), w, r); d.Wait != want {
					t.Errorf("got %v, want a wait of %v", d, want)
				}
				now += want
			}
			if got := l.Snapshot(at(now)).Buckets; len(got) != 0 {
				t.Errorf("learned %+v, want nothing", got)
			}
		})
	}
}

func TestImagesHaveTheirOwnAccount(t *testing.T) {
	l := New(learning, origin)
	r := Refusal{Dimension: "images", Limit: 25, Used: 27, Window: 5 * time.Minute}
	l.refuse(t, 0, &Waiter{Images: 1}, r)
	if got, want := knownOf(l.Snapshot(at(0))), (known{"images", 25, 5 * time.Minute, SourceText}); len(got) != 1 || got[0] != want {
		t.Fatalf("got %v, want %v", got, want)
	}
	// The next picture waits for one to come in, at 25 in five minutes; a chat does not.
	if d := l.Enter(at(time.Second), &Waiter{Images: 1}); d.Reason != Queued || d.Wait < 11*time.Second {
		t.Errorf("got %v, want Queued for 12s", d)
	}
}

func TestTogethersResetServesAsAHint(t *testing.T) {
	l := New(learning, origin)
	d := l.refuse(t, 0, &Waiter{}, Refusal{Headers: ParseHeaders(header("X-Ratelimit-Reset", "7"), origin)})
	if d.Reason != Queued || d.Wait < 7*time.Second {
		t.Errorf("got %v, want Queued for 7s", d)
	}
}

func TestAMereGuessTurnsNobodyAway(t *testing.T) {
	l := New(learning, origin)
	l.refuse(t, 0, &Waiter{}, Refusal{})
	for i := range 100 {
		if d := l.Enter(at(time.Second), &Waiter{Deadline: at(30 * time.Second)}); d.Reason == TooLate {
			t.Fatalf("number %d was turned away by a rate that is a guess: %v", i, d)
		}
	}
}

func TestAnEstimateGrowsOnlyWhileSomebodyWaits(t *testing.T) {
	l := New(learning, origin)
	_, w := steady(t, l, 0, 5, 50)
	l.Refused(at(11*time.Second), pass(t, l, 11*time.Second, w), Refusal{Dimension: "requests"})
	l.Leave(at(11*time.Second), w)
	rate := func(d time.Duration) float64 {
		l.answer(t, d, &Waiter{}, nil)
		return l.Snapshot(at(d)).Buckets[0].Rate
	}
	before := rate(12 * time.Second)
	for i := range 60 {
		rate(time.Duration(i+1) * time.Minute)
	}
	if got := rate(2 * time.Hour); got > before*1.05 {
		t.Errorf("%.2f per second after two hours with one request a minute, want %.2f", got, before)
	}
}

// TestNobodyWaitsUntilAllOfALimitIsThere: one request's part of a limit that refills comes
// in long before that.
func TestNobodyWaitsUntilAllOfALimitIsThere(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		before, refusal map[string][]string
		hint            time.Duration
		full            bool
		want            time.Duration
	}{
		"something is left":         {limits("Requests", "1200", "1150", "2.5s"), limits("Requests", "1200", "1100", "5s"), 5 * s, true, 0},
		"nothing is left":           {limits("Requests", "1200", "1150", "2.5s"), limits("Requests", "1200", "0", "1m0s"), 60 * s, true, 50 * time.Millisecond},
		"a wait for this request":   {limits("Requests", "1200", "1150", "2.5s"), limits("Requests", "1200", "1100", "5s"), 5 * s, false, 5 * s},
		"it is not known to refill": {limits("Requests", "1200", "1150", "40s"), limits("Requests", "1200", "1100", "39s"), 39 * s, true, 39 * s},
		"no word of what is left":   {limits("Requests", "1200", "1150", "2.5s"), header("X-Ratelimit-Limit-Requests", "1200"), 5 * s, true, 5 * s},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true}, origin)
			l.answer(t, 0, &Waiter{}, tt.before)
			w := pass(t, l, 10*time.Millisecond, &Waiter{})
			l.Refused(at(20*time.Millisecond), w, Refusal{Hint: tt.hint, HintFull: tt.full, Headers: ParseHeaders(tt.refusal, at(0))})
			got := l.gate.Sub(at(20 * time.Millisecond))
			if got < tt.want || got > tt.want+firstGap {
				t.Errorf("everybody is held for %v, want %v or a little more", got, tt.want)
			}
		})
	}
}
