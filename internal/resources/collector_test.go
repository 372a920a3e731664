package resources

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestTheHeapMayGrowByTheSpareOrDouble(t *testing.T) {
	for _, tt := range []struct {
		live  uint64
		limit int64
		want  int
	}{
		{0, math.MaxInt64, mostPercent},
		{2 << 20, math.MaxInt64, 400},
		{4 << 20, math.MaxInt64, 200},
		{4 << 20, 48 << 20, 150}, // an eighth of the limit: 6 MB
		{8 << 20, math.MaxInt64, 100},
		{1 << 30, math.MaxInt64, 100},
		{1 << 40, math.MaxInt64, 100},
		{8 << 20, 1 << 20, 100},
	} {
		if got := percentFor(tt.live, tt.limit); got != tt.want {
			t.Errorf("%d live of %d: %d %%, want %d", tt.live, tt.limit, got, tt.want)
		}
	}
}

func TestThePaceFollowsTheLiveHeap(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	pace(newPacer())
	small := debug.SetGCPercent(100)
	debug.SetGCPercent(small)
	live := make([]byte, 64<<20)
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		runtime.GC()
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		if now == 100 && small > 100 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d %% with little live, %d %% with 64 MB, want over 100 and 100", small, now)
		}
	}
	runtime.KeepAlive(live)
}
