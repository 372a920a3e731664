package fleet

import (
	"os"
	"sync"
	"testing"
	"time"
)

// Bounds on how late the machine may be for its figures to count.
const (
	beat = 10 * time.Millisecond
	late = 100 * time.Millisecond // for a beat
)

// witness measures how late the machine is while a test runs: on one that has too much to
// do, sidecars are as late as it is, and figures say nothing.
type witness struct {
	mu     sync.Mutex
	worst  time.Duration // that a beat was late
	missed time.Duration // all that beats were late over the bound
}

// watch starts a witness that ends with the test.
func watch(t *testing.T) *witness {
	t.Helper()
	w, end, ended := &witness{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for was := time.Now(); ; {
			select {
			case <-ticker.C:
			case <-end:
				return
			}
			now := time.Now()
			w.note(now.Sub(was) - beat)
			was = now
		}
	}()
	t.Cleanup(func() {
		close(end)
		<-ended
		w.mu.Lock()
		defer w.mu.Unlock()
		t.Logf("the machine was up to %v late, %v in all over %v", w.worst.Round(time.Millisecond), w.missed.Round(time.Millisecond), late)
	})
	return w
}

func (w *witness) note(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.worst = max(w.worst, d)
	if d > late {
		w.missed += d
	}
}

// again forgets what was: the start of processes is over.
func (w *witness) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.worst, w.missed = 0, 0
}

// timed says that figures which depend on the machine are held to their bounds: it has nothing else
// to do. The same bounds are held in virtual time by the tests of proxy/fleet.
var timed = os.Getenv("OUTRIGGER_TEST_TIMING") != ""

// most holds a count that does not depend on the machine, and logs it.
func most(t *testing.T, what string, got, bound float64) {
	t.Helper()
	t.Logf("%s: %.3f (at most %.3f)", what, got, bound)
	if got > bound {
		t.Errorf("%s is %.3f, want at most %.3f", what, got, bound)
	}
}

// least is most with a lower bound.
func least(t *testing.T, what string, got, bound float64) {
	t.Helper()
	t.Logf("%s: %.3f (at least %.3f)", what, got, bound)
	if got < bound {
		t.Errorf("%s is %.3f, want at least %.3f", what, got, bound)
	}
}

// most logs a figure that a late machine makes worse, and holds it where that is asked for.
func (g *rig) most(what string, got, bound float64) {
	g.t.Helper()
	g.hold(got <= bound, "%s: %.3f (at most %.3f)", what, got, bound)
}

// least is most with a lower bound.
func (g *rig) least(what string, got, bound float64) {
	g.t.Helper()
	g.hold(got >= bound, "%s: %.3f (at least %.3f)", what, got, bound)
}

func (g *rig) hold(holds bool, format string, arguments ...any) {
	g.t.Helper()
	switch {
	case holds:
		g.t.Logf(format, arguments...)
	case timed:
		g.t.Errorf("NOT MET: "+format, arguments...)
	default:
		g.t.Logf("NOT MET, AND NOT HELD (OUTRIGGER_TEST_TIMING=1 holds it): "+format, arguments...)
	}
}
