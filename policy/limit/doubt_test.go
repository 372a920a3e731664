package limit

import (
	"math/rand/v2"
	"testing"
	"time"
)

// sends sends n requests, a tenth of a second apart from d on, and returns when the
// next one would go.
func sends(t *testing.T, l *Limiter, d time.Duration, n int) time.Duration {
	t.Helper()
	for range n {
		w := pass(t, l, d, &Waiter{})
		l.Answered(at(d), w, Headers{})
		d += 100 * time.Millisecond
	}
	return d
}

func TestBareRefusalsAreBelievedOnceTheyAreMany(t *testing.T) {
	l := New(Settings{}, origin)
	now := sends(t, l, 0, 20)
	for i := range doubtLeast - 1 {
		if l.Believes(at(now)) {
			t.Fatalf("refusal %d was believed", i+1)
		}
	}
	if !l.Believes(at(now)) {
		t.Error("the fourth of sixteen was not believed")
	}
	now = sends(t, l, now, 20)
	if l.Believes(at(now)) {
		t.Error("one after many that were not refused was believed")
	}
}

// TestRefusalsOfEverySoManyRequestsAreBelieved: at a quarter over a limit each fifth
// request is refused, for ever, which is never as many as four of sixteen.
func TestRefusalsOfEverySoManyRequestsAreBelieved(t *testing.T) {
	tests := map[string]struct {
		gaps []int
		want bool
	}{
		"each fifth":             {[]int{5, 5, 5, 5}, true},
		"each fifth or sixth":    {[]int{5, 6, 5, 6}, true},
		"each fortieth or so":    {[]int{40, 42, 38, 41}, true},
		"too few to tell":        {[]int{6, 6, 6}, false},
		"now the third, now not": {[]int{6, 8, 7, 9}, false},
		"one that came late":     {[]int{6, 6, 6, 8}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{}, origin)
			now := sends(t, l, 0, 20)
			got := l.Believes(at(now))
			for _, n := range tt.gaps {
				now = sends(t, l, now, n)
				got = l.Believes(at(now))
			}
			if got != tt.want {
				t.Errorf("believed: %t", got)
			}
			if n := int64(len(tt.gaps) + 1); !got && l.doubts.free != n {
				t.Errorf("%d count as refused and free, want %d although none was believed", l.doubts.free, n)
			}
		})
	}
}

// TestWhatIsRefusedOneByOneWasNotLetThrough: it is not believed, and neither measured.
func TestWhatIsRefusedOneByOneWasNotLetThrough(t *testing.T) {
	l := New(Settings{Learn: true}, origin)
	now := sends(t, l, 0, 100)
	for range 3 {
		now = sends(t, l, now, 5)
		w := pass(t, l, now, &Waiter{})
		l.Believes(at(now))
		l.Leave(at(now), w)
	}
	w := pass(t, l, now, &Waiter{})
	l.Refused(at(now), w, Refusal{})
	if m := l.bucket(slotRequests).estimate.marks[0]; m.sent-m.accepted != 3 {
		t.Errorf("%d of %d were let through, want all but three", m.accepted, m.sent)
	}
}

func TestOneInTenAtRandomIsHardlyEverBelieved(t *testing.T) {
	l := New(Settings{}, origin)
	random, believed, now := rand.New(rand.NewPCG(1, 2)), 0, time.Duration(0)
	for range 10_000 {
		now = sends(t, l, now, 1)
		if random.Float64() < 0.1 && l.Believes(at(now)) {
			believed++
		}
	}
	if believed > 300 {
		t.Errorf("%d of some 1,000 refusals at random were believed", believed)
	}
}

// TestRefusalsThatGoOnAtAnyRateMeanNothing has an upstream let 20 per second through,
// and then refuse some although little is sent.
func TestRefusalsThatGoOnAtAnyRateMeanNothing(t *testing.T) {
	l := New(Settings{}, origin)
	now := sends(t, l, 0, 100)
	l.limits(at(now), slotRequests, 60, time.Minute, SourceRefusals)
	slow := func(n int) int { // one in two seconds, every other refused
		believed := 0
		for i := range n {
			now += 2 * time.Second
			w := pass(t, l, now, &Waiter{})
			l.Answered(at(now), w, Headers{})
			if i%2 == 0 && l.Believes(at(now)) {
				believed++
			}
		}
		return believed
	}
	slow(8)
	if got := l.Snapshot(at(now)).Buckets; len(got) > 0 {
		t.Errorf("%+v, want nothing after %d refusals at a fraction of what passed", got, doubtLeast)
	}
	if got := slow(100); got > 0 {
		t.Errorf("%d more were believed, want none", got)
	}
	l.ramp.Stop()
	for range 20 { // but if nearly all are refused it is a limit all the same
		now += 150 * time.Millisecond
		l.Sent(at(now), pass(t, l, now, &Waiter{}))
		if l.Believes(at(now)) {
			return
		}
	}
	t.Error("none of 20 that were all refused was believed")
}

func TestARefusalThatTellsAnythingIsNotBare(t *testing.T) {
	tests := map[string]struct {
		refusal Refusal
		want    bool
	}{
		"nothing told":       {Refusal{}, true},
		"only a dimension":   {Refusal{Dimension: "requests"}, true},
		"a wait":             {Refusal{Hint: time.Second}, false},
		"a limit":            {Refusal{Limit: 60}, false},
		"a window":           {Refusal{Window: 24 * time.Hour}, false},
		"a slow down":        {Refusal{SlowDown: true}, false},
		"a header":           {Refusal{Headers: Headers{Readings: []Reading{{Limit: 60}}}}, false},
		"a reset":            {Refusal{Headers: Headers{Reset: time.Second}}, false},
		"only absurd values": {Refusal{Headers: Headers{Ignored: 2}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.refusal.Bare(); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestRepeated_ARefusalOfTheSameRequestCountsForNobody(t *testing.T) {
	for _, last := range []struct{ before, after uint16 }{
		{0b0, 0b0}, {0b1, 0b1}, {0b10, 0b1}, {0b1011, 0b111}, {0b1010, 0b101}, {0x7fff, 0x7fff}, {0xffff, 0xffff},
	} {
		if got := skip(last.before); got != last.after {
			t.Errorf("%b became %b", last.before, got)
		}
	}
	for again, want := range map[bool]bool{false: true, true: false} {
		l, now, believed := New(Settings{Learn: true}, at(0)), time.Duration(0), false
		for range 20 {
			now = sends(t, l, now, 2)
			if again {
				l.Repeated(at(now), &Waiter{})
				continue
			}
			believed = l.Believes(at(now)) || believed
		}
		if believed != want {
			t.Errorf("again %v: believed %v", again, believed)
		}
	}
}
