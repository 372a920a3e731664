package fleet

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestServer_ThatStaysSlowIsSearchedForOnce has a server that answers a check, but later than a
// sidecar waits for a lease: it is not taken for one that can be used.
func TestServer_ThatStaysSlowIsSearchedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := virtual(t, newLuaRedis(t))
		defer f.stop()
		var checks atomic.Int64
		var quick atomic.Bool
		f.check = func(context.Context) error {
			checks.Add(1)
			if !quick.Load() {
				time.Sleep(220 * time.Millisecond)
			}
			return nil
		}
		for range 20 {
			f.failed(context.DeadlineExceeded) // as a lease does
			time.Sleep(500 * time.Millisecond)
			if parts, _ := f.Apart(); parts == 0 {
				t.Fatal("it is used although it is slow")
			}
		}
		if n := checks.Load(); n > 25 {
			t.Errorf("%d checks in ten seconds, want one at a time", n)
		}
		quick.Store(true)
		time.Sleep(time.Second)
		if parts, _ := f.Apart(); parts != 0 {
			t.Error("it is quick again, and not used")
		}
	})
}
