package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func TestACallWithAKeyKeepsItsPlaceInLineWhenItsCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(0), func(c *settings.Config) { c.Limit.RPM = 1 })
		g.chat() // the minute's one
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if resp, err := g.client.Do(g.keyed("k", chatPath, chatBody).WithContext(ctx)); err == nil {
			resp.Body.Close()
			t.Fatalf("got %d although its turn comes in a minute", resp.StatusCode)
		}
		time.Sleep(2 * time.Minute)
		if n := g.calls.Load(); n != 2 {
			t.Errorf("the upstream was called %d times, want the call whose caller left too", n)
		}
		if n := g.inflight(); n != 0 {
			t.Errorf("%d requests are still in flight", n)
		}
	})
}
