package counts

import (
	"testing"
	"time"
)

func TestTheLastMinuteIsRemembered(t *testing.T) {
	var h History
	for i := range 400 {
		h.Add(time.Duration(i)*250*time.Millisecond, 2)
	}
	h.Add(99*time.Second, -1)
	h.Add(10*time.Second, -1) // long forgotten
	h.Add(300*time.Second, 0)
	if got := h.Since(200 * time.Second); got != 0 {
		t.Errorf("%v since, want none", got)
	}
	h = History{}
	for i := range 400 {
		h.Add(time.Duration(i)*250*time.Millisecond, 2)
	}
	h.Add(99*time.Second, -1)
	h.Add(10*time.Second, -1)
	for since, want := range map[time.Duration]float64{
		99*time.Second + 750*time.Millisecond: 2, 99 * time.Second: 7, 98*time.Second + 875*time.Millisecond: 8,
		50 * time.Second: 399, 0: 511, 200 * time.Second: 0, -time.Second: 511,
	} {
		if got := h.Since(since); got != want {
			t.Errorf("%v since %v, want %v", got, since, want)
		}
	}
}
