package proxy

import "time"

// endTime is how long an answer that has said all may take to end, so that its
// connection can be used again. The caller has the whole content by then, but
// some SDKs read on until the end.
const endTime = 25 * time.Millisecond

// awaitEnd reads what follows the content of a finished stream, which is nobody's,
// until the upstream ends it or the time is over.
func (s *answer) awaitEnd(p []byte) {
	timer := time.AfterFunc(endTime, func() { s.a.cancel(errFinished) })
	defer timer.Stop()
	for {
		if _, err := s.src.Read(p); err != nil {
			return
		}
	}
}
