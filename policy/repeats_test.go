package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

type repeats = policy.Repeats[string, string, string, string]

func newRepeats(limit int) *repeats {
	return policy.NewRepeats[string, string, string, string](limit)
}

func TestRepeats_OneFailureStandsForOneRepeat(t *testing.T) {
	r := newRepeats(10)
	r.Failed(start, "key", "chat", "body", "503", true)
	r.Failed(start, "key", "chat", "body", "503", true)
	for i, want := range []bool{true, true, false} {
		answer, ago, got := r.Take(start.Add(time.Second), "chat", "body")
		if got != want || got && (answer != "503" || ago != time.Second) {
			t.Errorf("take %d: %q, %v, %t, want %t", i+1, answer, ago, got, want)
		}
	}
	r.Failed(start.Add(2*time.Second), "key", "chat", "body", "", false)
	answer, ago, got := r.Take(start.Add(3*time.Second), "chat", "body")
	if !got || answer != "503" || ago != 3*time.Second {
		t.Errorf("after one that was not attempted: %q, %v, %t; want the answer and time of the last attempt", answer, ago, got)
	}
}

func TestRepeats_OtherCallsAreNoRepeats(t *testing.T) {
	r := newRepeats(10)
	r.Failed(start, "key", "chat", "body", "503", true)
	for _, other := range [][2]string{{"chat", "other"}, {"models", "body"}} {
		if _, _, got := r.Take(start, other[0], other[1]); got {
			t.Errorf("%v is taken for a repeat", other)
		}
	}
	if !r.Known("chat") || r.Known("models") {
		t.Error("Known tells the wrong calls")
	}
}

func TestRepeats_SuccessOfASimilarCallEndsIt(t *testing.T) {
	r := newRepeats(10)
	r.Failed(start, "key", "chat", "one", "", true)
	r.Failed(start, "key", "chat", "two", "", true)
	r.Failed(start, "key", "models", "", "", true)
	r.Succeeded("chat")
	if _, _, got := r.Take(start, "chat", "one"); got || r.Known("chat") || !r.Known("models") || r.Len() != 1 {
		t.Errorf("a repeat: %t; %d left, want the other path's alone", got, r.Len())
	}
}

func TestRepeats_MemoryFollowsTheCallersWaits(t *testing.T) {
	tests := map[string]struct {
		gaps []time.Duration
		want bool // of the last one
	}{
		"within 30 s":                  {[]time.Duration{29 * time.Second}, true},
		"after 30 s":                   {[]time.Duration{30 * time.Second}, false},
		"29 s, then twice as long":     {[]time.Duration{29 * time.Second, 61 * time.Second}, true},
		"1 s, then 30 s":               {[]time.Duration{time.Second, 30 * time.Second}, false},
		"never for more than 2 min":    {[]time.Duration{29 * time.Second, 100 * time.Second, 120 * time.Second}, false},
		"LangChain.js, its worst case": {seconds(2, 4, 8, 16, 29, 64), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, now, got := newRepeats(10), start, false
			r.Failed(now, "key", "chat", "body", "", true)
			for _, gap := range tt.gaps {
				now = now.Add(gap)
				_, _, got = r.Take(now, "chat", "body")
				r.Failed(now, "key", "chat", "body", "", true)
			}
			if got != tt.want {
				t.Errorf("the last is a repeat: %t, want %t", got, tt.want)
			}
		})
	}
}

func seconds(n ...int) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestRepeats_NothingIsLeftWhenAllIsOver(t *testing.T) {
	r := newRepeats(10)
	if r.Any(start) {
		t.Error("an empty memory holds something")
	}
	r.Failed(start, "key", "chat", "body", "", true)
	if !r.Any(start.Add(29 * time.Second)) {
		t.Error("forgotten too soon")
	}
	if r.Any(start.Add(30*time.Second)) || r.Len() != 0 {
		t.Errorf("%d kept after their time", r.Len())
	}
}

func TestRepeats_FloodOfOneOwnerEvictsItsOwn(t *testing.T) {
	r := newRepeats(100)
	r.Failed(start, "quiet", "chat of quiet", "body", "", true)
	for i := range 1000 {
		r.Failed(start, "loud", "chat of loud", string(rune('a'+i)), "", true)
	}
	if _, _, got := r.Take(start, "chat of quiet", "body"); !got || r.Len() != 100 {
		t.Errorf("the quiet owner's is remembered: %t; %d in all, want 100", got, r.Len())
	}
	if _, _, got := r.Take(start, "chat of loud", "a"); got {
		t.Error("the loud owner's oldest is still there")
	}
	if _, _, got := r.Take(start, "chat of loud", string(rune('a'+999))); !got {
		t.Error("the loud owner's latest is not there")
	}
}
