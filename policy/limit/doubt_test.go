package limit

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBareRefusalsAreBelievedOnceTheyAreMany(t *testing.T) {
	var d Doubt
	for i := range doubtLeast - 1 {
		if d.Refused() {
			t.Fatalf("refusal %d was believed", i+1)
		}
	}
	if !d.Refused() {
		t.Error("the fourth in a row was not believed")
	}
	for range doubtWindow {
		d.Answered()
	}
	if d.Refused() {
		t.Error("one after many answers was believed")
	}
}

func TestOneInTenAtRandomIsHardlyEverBelieved(t *testing.T) {
	var d Doubt
	random, believed := rand.New(rand.NewPCG(1, 2)), 0
	for range 10_000 {
		if random.Float64() >= 0.1 {
			d.Answered()
			continue
		}
		if d.Refused() {
			believed++
		}
	}
	if believed > 300 {
		t.Errorf("%d of some 1,000 refusals at random were believed", believed)
	}
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
