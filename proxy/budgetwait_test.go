package proxy

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// Retries without a wait between them wait for the budget all the same. A call that asked again and
// again in the same instant would never let the bubble's time go on.
func TestBudget_IsWaitedForWhereRetriesComeAtOnce(t *testing.T) {
	for name, patience := range map[string]time.Duration{"as long as at a breaker": 2 * time.Second, "not at all": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, answers(http.StatusInternalServerError, overBody), func(c *settings.Config) {
					c.Retry.Base, c.Retry.Cap, c.Retry.Budget = 0, 0, 0
					c.Breaker.Consecutive, c.Breaker.Ratio, c.Breaker.Wait = 0, 0, patience
				})
				began := time.Now()
				var all sync.WaitGroup
				var failed atomic.Int64
				for range 20 {
					all.Go(func() {
						if resp, _ := g.chat(); resp.StatusCode == http.StatusInternalServerError {
							failed.Add(1)
						}
					})
				}
				all.Wait()
				if took := time.Since(began); failed.Load() != 20 || took > patience+time.Second {
					t.Errorf("%d of 20 were told of the failure, after %v", failed.Load(), took)
				}
			})
		})
	}
}
