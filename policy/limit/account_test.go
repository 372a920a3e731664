package limit

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAConfiguredLimitHoldsInEveryMinute draws loads and looks at every stretch of a
// minute, and of a second, of what was admitted.
func TestAConfiguredLimitHoldsInEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rpm := rapid.SampledFrom([]int{1, 3, 20, 60, 90, 600, 1200, 6000}).Draw(t, "rpm")
		tpm := rapid.SampledFrom([]int{0, 6000, 120_000}).Draw(t, "tpm")
		l := New(Settings{RPM: rpm, TPM: tpm, Learn: rapid.Bool().Draw(t, "learn")}, origin)
		type sent struct {
			at     time.Duration
			tokens int
		}
		var out []sent
		now := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			now += time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "pause"))
			for range rapid.IntRange(0, 40).Draw(t, "size") {
				w := &Waiter{Tokens: rapid.SampledFrom([]int{0, 10, 500, 5000}).Draw(t, "tokens")}
				if l.Enter(at(now), w).Reason == Admitted {
					out = append(out, sent{now, w.Tokens})
					l.Sent(at(now), w)
				}
			}
			for end := now + time.Second; now < end; now += 50 * time.Millisecond {
				l.Release(at(now), func(w *Waiter) { out = append(out, sent{now, w.Tokens}) })
			}
		}
		for _, span := range []time.Duration{time.Minute, time.Second} {
			most, mostTokens := float64(rpm)*span.Minutes(), float64(tpm)*span.Minutes()
			for i := range out {
				n, tokens := 0, 0
				for j := i; j < len(out) && out[j].at < out[i].at+span; j++ {
					n++
					tokens += out[j].tokens
				}
				if float64(n) > math.Ceil(most) {
					t.Fatalf("%d in %v from %v, want at most %.1f", n, span, out[i].at, most)
				}
				// One request larger than a second's share goes alone and leaves debt.
				if tpm > 0 && float64(tokens) > mostTokens+5000 {
					t.Fatalf("%d tokens in %v from %v, want at most %.0f", tokens, span, out[i].at, mostTokens)
				}
			}
		}
	})
}

func TestALargeRequestIsChargedInFull(t *testing.T) {
	l := New(Settings{TPM: 60_000}, origin)
	pass(t, l, 0, &Waiter{Tokens: 9_800}) // ten seconds' worth at 980 per second
	w := &Waiter{Tokens: 20}
	if d := l.Enter(origin, w); d.Reason != Queued || d.Wait.Round(100*time.Millisecond) != 10*time.Second {
		t.Errorf("the next waits %v, want the ten seconds that the first one cost", d)
	}
}

func TestTheAccountIsExact(t *testing.T) {
	b := &bucket{limit: 60, window: time.Minute, source: SourceText}
	b.estimate.reset(1, 0)
	b.estimate.unit = 1
	b.open(origin, 0, 5*milli)
	steps := []struct {
		do   func()
		want float64
	}{
		{func() {}, 1.019}, // it holds no more
		{func() { b.take(origin, 0, 3019) }, -2},
		{func() { b.give(origin, milli) }, -1},
		{func() { b.lower(origin, 5*milli) }, -1},
		{func() { b.lower(origin, -2500) }, -2.5},
		{func() { b.set(origin, -milli) }, -1},
		{func() { b.set(origin, 0.25*milli) }, 0.25},
		{func() { b.give(origin, 10*milli) }, 1.019},
	}
	for i, s := range steps {
		s.do()
		if got := b.level(origin) / milli; got != s.want {
			t.Errorf("step %d: %v, want %v", i, got, s.want)
		}
	}
	b.take(origin, 0, 2019)
	if got := b.level(at(time.Second)) / milli; got != -1+pace {
		t.Errorf("after a second %v, want %v", got, -1+pace)
	}
	b.empty(at(time.Second), at(3*time.Second))
	if got, want := b.wait(at(time.Second), time.Second, milli), 2*time.Second+seconds(1/pace); got != want {
		t.Errorf("empty for two seconds it waits %v, want %v", got, want)
	}
	if got := b.wait(at(3*time.Second+seconds(1/pace)), 3*time.Second, milli); got != 0 {
		t.Errorf("and after that %v, want nothing", got)
	}
}

func TestIdlenessGathersASecondsShare(t *testing.T) {
	l := New(Settings{RPM: 1200}, origin)
	fill := func(d time.Duration) int {
		n := 0
		for l.Enter(at(d), &Waiter{}).Reason == Admitted {
			n++
		}
		for w := l.queue.head(); w != nil; w = l.queue.head() {
			l.Leave(at(d), w)
		}
		return n
	}
	for _, tt := range []struct {
		at   time.Duration
		want int
	}{{0, 20}, {500 * time.Millisecond, 0}, {time.Second, 0}, {1050 * time.Millisecond, 1}, {1600 * time.Millisecond, 11}, {10 * time.Second, 20}} {
		if got := fill(tt.at); got != tt.want {
			t.Errorf("at %v %d went at once, want %d", tt.at, got, tt.want)
		}
	}
}
