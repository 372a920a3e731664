package proxy

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

func TestALongLineIsLeftForAShorterOneIfAskedFor(t *testing.T) {
	rates := policy.Failover{policy.FailoverRateLimited}
	tests := map[string]struct {
		rpm   [2]int
		on    policy.Failover
		calls int
		want  seen
		waits time.Duration // the last one
	}{
		"the other has room":          {[2]int{1, 0}, rates, 2, seen{200, "second", "openai=rate_limited", "", [3]int64{1, 1}}, 0},
		"the other's line is shorter": {[2]int{1, 6}, rates, 3, seen{200, "second", "openai=rate_limited", "", [3]int64{1, 2}}, 10 * time.Second},
		"the other's line is longer":  {[2]int{2, 1}, rates, 3, seen{200, "openai", "", "", [3]int64{2, 1}}, 30 * time.Second},
		"a wait of a second":          {[2]int{240, 0}, rates, 6, seen{200, "openai", "", "", [3]int64{6, 0}}, time.Second},
		"it was not asked for":        {[2]int{1, 0}, policy.Failover{policy.FailoverOverloaded}, 2, seen{200, "openai", "", "", [3]int64{2, 0}}, time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) {
					c.Failover, c.Limit.Learn = tt.on, false
					c.Upstreams[0].RPM, c.Upstreams[1].RPM = tt.rpm[0], tt.rpm[1]
				}, answering("openai"), answering("second"))
				for range tt.calls - 1 {
					go s.call(http.MethodPost, chatPath, chatBody)
					synctest.Wait()
				}
				start := time.Now()
				if got := s.call(http.MethodPost, chatPath, chatBody); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
				if took := time.Since(start); took < tt.waits*9/10 || took > tt.waits*13/10 {
					t.Errorf("took %s, want about %s", took, tt.waits)
				}
				for _, up := range s.status().Upstreams {
					for _, l := range up.Limits {
						if l.State.Queue != 0 {
							t.Errorf("%d are still in line at %s", l.State.Queue, up.Name)
						}
					}
				}
				time.Sleep(5 * time.Minute) // for those that wait
			})
		})
	}
}

// A slot that had to be waited for is the present upstream's: the line behind it is
// not left for another's.
func TestSlotsAndLinesOfTwoUpstreamsAreNotMixedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) {
			c.Failover, c.Limit.Learn = everything, false
			for i := range c.Upstreams {
				c.Upstreams[i].RPM, c.Upstreams[i].MaxInflight = 30, 1
			}
		}, later(700*time.Millisecond, answering("openai")), later(700*time.Millisecond, answering("second")))
		for range 100 {
			go s.call(http.MethodPost, chatPath, chatBody)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		for i, up := range s.proxy.gen().Upstreams {
			if !up.Slots.Idle() {
				t.Errorf("upstream %d: a slot is taken, or %d wait", i+1, up.Slots.Status(time.Now()).Queue)
			}
		}
		if n := s.times(); n[0]+n[1] != 100 || n[1] == 0 {
			t.Errorf("calls %v, want 100 at both", n)
		}
	})
}
