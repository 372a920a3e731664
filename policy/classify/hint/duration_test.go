package hint

import (
	"strings"
	"testing"
	"time"
)

func TestDurationsAreReadInEveryWriting(t *testing.T) {
	tests := map[string]struct {
		want time.Duration
		ok   bool
	}{
		"20s": {20 * time.Second, true}, "28ms": {28 * time.Millisecond, true}, "6ms": {6 * time.Millisecond, true},
		"7m12s": {432 * time.Second, true}, "6m0s": {6 * time.Minute, true}, "1h2m3s": {3723 * time.Second, true},
		"2m59.56s": {179560 * time.Millisecond, true}, "37.4s": {37400 * time.Millisecond, true},
		"1.984999999s": {1984999999 * time.Nanosecond, true}, "9m38.016s": {578016 * time.Millisecond, true},
		"45 seconds": {45 * time.Second, true}, "1 seconds": {time.Second, true}, "1 hour and 5 minutes": {65 * time.Minute, true},
		"8 hours 24 minutes": {504 * time.Minute, true}, "2 days, 3 hrs": {51 * time.Hour, true}, "3 MIN": {3 * time.Minute, true},
		"0s": {0, true}, "400 milliseconds": {400 * time.Millisecond, true},
		"": {}, "s": {}, "20": {}, "-20s": {}, "20s!": {}, "20 parsecs": {}, "5 models": {}, "and": {}, "1e3s": {},
		"999999999999h": {}, "367d": {}, strings.Repeat("9", 400) + "s": {},
	}
	for text, tt := range tests {
		t.Run(text, func(t *testing.T) {
			if got, ok := Duration(text); got != tt.want || ok != tt.ok {
				t.Errorf("got %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
