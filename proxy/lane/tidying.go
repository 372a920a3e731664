package lane

import (
	"sync"
	"sync/atomic"
	"time"
)

// tidyEach is how often an upstream forgets what was idle for long enough.
const tidyEach = 30 * time.Second

// tidying calls tidy now and then while there is anything that may become idle. Safe for
// concurrent use.
type tidying struct {
	tidy   func(time.Time) bool // and reports whether anything is left
	needed atomic.Bool
	mu     sync.Mutex
	timer  *time.Timer
	over   bool
}

// Need says that there is something.
func (t *tidying) Need() {
	if t.tidy == nil || t.needed.Swap(true) {
		return
	}
	t.arm()
}

func (t *tidying) arm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.timer = time.AfterFunc(tidyEach, t.run)
	}
}

func (t *tidying) run() {
	t.needed.Store(false)
	if t.tidy(time.Now()) {
		t.Need()
	}
}

// stop ends it.
func (t *tidying) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

// tidy forgets what nobody used lately, and reports whether anything is left.
func (u *Learned) tidy(now time.Time) bool {
	left := u.Queues.Tidy(now)
	left = u.Trips.Trips.Tidy(now) || left
	left = u.Worked.Tidy(now) || left
	left = u.Scopes.Tidy(now) || left
	left = u.isSpent(now) || left
	return u.Loadings.Tidy(now) || left
}
