package loop

import (
	"io"

	"outrigger/proxy/attempt"
	"outrigger/proxy/body"
)

// sends gives the attempt the request's body. Small ones are not watched: the system takes
// them at once, and net/http sends them best as they are.
func (x *Run) sends(a *attempt.Attempt) (io.ReadCloser, int64) {
	b, size := x.Outgoing(x.Spliced)
	if b == nil || x.Once == nil && 0 <= x.Size && x.Size <= body.OneWrite && x.Body1.InMemory() {
		return b, size
	}
	a.Progress.Sending = &body.Sending{ReadCloser: b, Left: size, Began: a.Started, Motion: x.Motion, Awake: x.Awake, Over: &a.Progress.Over}
	if x.Once != nil {
		a.Progress.Sending.Motion = nil
	}
	return a.Progress.Sending, size
}
