package negative

import (
	"fmt"
	"testing"
	"time"
)

func TestLoadings_StayBounded(t *testing.T) {
	var l Loadings
	now := time.Now()
	for i := range 2 * maxLoadings {
		now = now.Add(time.Millisecond)
		l.Say(now, fmt.Sprint(i), 0, nil, 0)
	}
	if n := len(l.byModel); n != maxLoadings {
		t.Errorf("%d are known", n)
	}
	// One who was told, and is forgotten, still does not ask again at once.
	if wait, _ := l.Turn(now, "0", now.Add(time.Second), 0); wait != time.Second {
		t.Errorf("it waits %v", wait)
	}
}
