package limit

import (
	"slices"
	"testing"
	"time"
)

func TestBackoffSpendsASecondInShortSteps(t *testing.T) {
	const ms = time.Millisecond
	tests := map[time.Duration][]time.Duration{
		10 * ms:          {10 * ms, 30 * ms, 90 * ms, 270 * ms, 400 * ms, 400 * ms, 1200 * ms, 3600 * ms, 10800 * ms, 30 * time.Second, 30 * time.Second},
		200 * ms:         {200 * ms, 400 * ms, 400 * ms, 1200 * ms},
		time.Second:      {time.Second, time.Second, time.Second, 3 * time.Second, 9 * time.Second},
		0:                {0, 0, 0},
		time.Hour:        {30 * time.Second, 30 * time.Second},
		1<<63 - 1:        {30 * time.Second, 30 * time.Second},
		20 * time.Second: {20 * time.Second, 20 * time.Second, 20 * time.Second, 30 * time.Second},
	}
	for gap, want := range tests {
		var got []time.Duration
		for n := range want {
			got = append(got, backoff(gap, n))
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %v: got %v, want %v", gap, got, want)
		}
	}
	if got := backoff(ms, 1<<30); got != longestGap {
		t.Errorf("after very many: %v, want %v", got, longestGap)
	}
}
