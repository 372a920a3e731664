package proxy

import "time"

// drainTime is how long an answer that has said all may take to end, so that its
// connection can be used again.
const drainTime = 250 * time.Millisecond

// drain reads the rest of an answer whose content is complete, away from the
// caller's path, and then ends the attempt.
func (a *attempt) drain() {
	go func() {
		timer := time.AfterFunc(drainTime, func() { a.cancel(errFinished) })
		defer timer.Stop()
		buf := buffers.get()
		defer buffers.put(buf)
		for n := 0; n < len(*buf); {
			m, err := a.body.Read(*buf)
			if n += m; err != nil {
				break
			}
		}
		a.finish(errFinished)
	}()
}
