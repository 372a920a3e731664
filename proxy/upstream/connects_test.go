package upstream

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheShortestConnectOfTheLastMinutesCounts(t *testing.T) {
	const ms = time.Millisecond
	start := time.Now()
	tests := map[string]struct {
		took []time.Duration // one per five minutes
		want time.Duration
	}{
		"none":                    {nil, 0},
		"the shortest":            {[]time.Duration{30 * ms, 10 * ms, 20 * ms}, 10 * ms},
		"of the last minutes":     {[]time.Duration{10 * ms, 11 * ms, 30 * ms, 31 * ms, 32 * ms}, 30 * ms},
		"the time before as well": {[]time.Duration{10 * ms, 11 * ms, 30 * ms}, 10 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, now := &connects{}, start
			for i, took := range tt.took {
				now = start.Add(time.Duration(i) * 5 * time.Minute)
				c.add(now, took)
			}
			if got := c.Shortest(now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got := c.Shortest(now.Add(time.Hour)); got != 0 {
				t.Errorf("an hour later: got %v, want none", got)
			}
		})
	}
}

func TestOnlyConnectsToTheUpstreamAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connects{}
		dial := c.measured(func(_ context.Context, _, to string) (net.Conn, error) {
			if to == "upstream:443" {
				time.Sleep(40 * time.Millisecond) // the bubble's clock
				return nil, nil
			}
			if to == "proxy:3128" {
				return nil, nil
			}
			return nil, errors.New("unreachable")
		}, "upstream:443")
		for _, to := range []string{"proxy:3128", "nowhere:1", "upstream:443"} {
			_, _ = dial(t.Context(), "tcp", to)
		}
		if got := c.Shortest(time.Now()); got != 40*time.Millisecond {
			t.Errorf("got %v, want 40ms", got)
		}
	})
}
