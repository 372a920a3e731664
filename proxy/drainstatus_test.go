package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func TestStatus_TellsSinceWhenItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		if s := g.status(); s.Draining || !s.DrainSince.IsZero() || !s.DrainEnd.IsZero() {
			t.Errorf("before: %v since %v until %v", s.Draining, s.DrainSince, s.DrainEnd)
		}
		began := time.Now()
		g.proxy.Drain()
		g.proxy.TurnAway(began.Add(time.Minute))
		time.Sleep(time.Second)
		g.proxy.Drain() // again: it began before
		if s := g.status(); !s.Draining || !s.DrainSince.Equal(began) || !s.DrainEnd.Equal(began.Add(time.Minute)) || !s.Verdict.Lines[0].Since.Equal(began) {
			t.Errorf("%v since %v until %v, says %v, want since %v", s.Draining, s.DrainSince, s.DrainEnd, s.Verdict.Lines, began)
		}
	})
}

// A breaker that stays closed is no sign that all is well.
func TestStatus_TellsThatRequestsFail(t *testing.T) {
	g := newRig(t, answers(500, `{"error":{"message":"no","type":"server_error"}}`), func(c *settings.Config) { c.Retry.Max = 0 })
	for range 3 {
		g.drop(g.plain())
	}
	g.settle()
	if line := g.status().Verdict.Lines[0]; line.Upstream != "openai" || line.Text != "3 of the last 3 requests failed, mostly with the outcome failed" {
		t.Errorf("got %+v", line)
	}
}
