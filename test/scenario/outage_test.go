package scenario

import (
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/proxy/settings"
)

// The outage of these scenarios: 5 s of it in 20 s of steady load.
const (
	rate        = 50 // requests per second
	runTime     = 20 * time.Second
	outageStart = 7 * time.Second
	outageEnd   = 12 * time.Second
)

// sample is one request of the steady load.
type sample struct {
	sent, ended time.Duration // since the run's start
	ok          bool
}

func TestAnOutageIsWaitedOutAndNotMadeWorse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 25 s")
	}
	attemptTimeout := func(c *settings.Config) { c.Timeouts.Attempt = 2 * time.Second }
	tests := map[string]struct {
		kind sim.OutageKind
		edit func(*settings.Config)
	}{
		"every answer a 503":      {sim.OutageStatus, func(*settings.Config) {}},
		"hanging requests":        {sim.OutageHang, attemptTimeout},
		"refused connections":     {sim.OutageRefuse, func(*settings.Config) {}},
		"every connection is cut": {sim.OutageReset, func(*settings.Config) {}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, sim.Config{Latency: 20 * time.Millisecond}, tt.edit)
			start := time.Now()
			samples := steadyLoad(g, start, tt.kind)
			judgeOutage(t, g, start, samples)
		})
	}
}

// steadyLoad sends rate requests per second for runTime, through the outage.
func steadyLoad(g *rig, start time.Time, kind sim.OutageKind) []sample {
	samples := make([]sample, rate*int(runTime/time.Second))
	time.AfterFunc(outageStart, func() {
		if err := g.sim.Outage(sim.Outage{Kind: kind, For: outageEnd - outageStart}); err != nil {
			g.t.Errorf("starting the outage: %v", err)
		}
	})
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := range samples {
		<-tick.C
		wg.Go(func() {
			s := &samples[i]
			s.sent = time.Since(start)
			status, answer := g.chat(g.t.Context(), i)
			s.ended, s.ok = time.Since(start), status == 200
			if !s.ok {
				g.t.Logf("request %d, sent at %s, ended at %s: %d %.200s", i, s.sent, s.ended, status, answer)
			}
		})
	}
	wg.Wait()
	return samples
}

// judgeOutage holds the run to what is promised.
func judgeOutage(t *testing.T, g *rig, start time.Time, samples []sample) {
	t.Helper()
	good, during, late, slowest := 0, 0, 0, time.Duration(0)
	for _, s := range samples {
		if s.ok {
			good++
		}
		if s.sent >= outageStart && s.sent < outageEnd {
			during++
		}
		// Two seconds after the end nothing of the outage may be left to wait for.
		if s.sent < outageEnd && s.ended > outageEnd+2*time.Second {
			late++
		}
		if s.sent >= outageEnd+2*time.Second {
			slowest = max(slowest, s.ended-s.sent)
		}
	}
	calls := 0
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		if at := e.Time.Sub(start); at >= outageStart && at < outageEnd {
			calls++
		}
	}
	share := float64(good) / float64(len(samples))
	t.Logf("%.1f %% succeeded; %d calls for %d requests in the outage (%.2f per request); "+
		"%d not served 2 s after its end; slowest request after that %s",
		100*share, calls, during, float64(calls)/float64(during), late, slowest.Round(time.Millisecond))
	if share < 0.97 {
		t.Errorf("%.1f %% succeeded, want at least 97 %%", 100*share)
	}
	if float64(calls) > 1.3*float64(during) {
		t.Errorf("%d upstream calls for %d requests in the outage, want at most 1.3 per request", calls, during)
	}
	timely(t, "the number of requests that still waited 2 s after the outage", float64(late), 0)
	timely(t, "the seconds of the slowest request after that", slowest.Seconds(), 1)
}
