package status

import (
	"fmt"
	"testing"
	"time"

	"outrigger/policy/limit"
)

func TestALimitInMetricsIsByTheMinuteUnlessItIsLong(t *testing.T) {
	for window, want := range map[time.Duration]float64{time.Second: 600, 10 * time.Second: 60, time.Minute: 10, time.Hour: 10, 24 * time.Hour: 10} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			if got := perMinute(limit.Bucket{Limit: 10, Window: window}); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
