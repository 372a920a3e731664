package attempt

import (
	"errors"
	"io"
	"time"
)

// EndTime is how long an answer that has said all may take to end, so that its
// connection can be used again. The caller has the whole content by then, but
// some SDKs read on until the end.
const EndTime = 25 * time.Millisecond

var errFollowed = errors.New("a redirect was followed")

// Again returns the attempt's next request, and ends the one before but for what is the
// attempt's as a whole: permits, slots, its share of the budget.
func (a *Attempt) Again() *Attempt {
	next := &Attempt{Of: a.Of, Number: a.Number, Started: time.Now(), Redirected: true}
	a.end.Do(func() {
		a.Progress.Over.Store(true)
		if a.Body != nil {
			timer := time.AfterFunc(EndTime, func() { a.Cancel(errFollowed) })
			_, _ = io.CopyN(io.Discard, a.Body, 4<<10) // so that the connection stays; a redirect says little
			timer.Stop()
			_ = a.Body.Close()
		}
		a.Cancel(errFollowed)
	})
	return next
}
