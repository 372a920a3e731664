package attempt

import (
	"context"
	"errors"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/upstream"
)

// HTTP2Failure says how far a's failure makes its HTTP/2 doubtful, before any of the
// answer was passed on.
func (a *Attempt) HTTP2Failure() int {
	switch {
	case a.HTTP1, a.Failure == classify.None, a.Failure == classify.TooLarge:
		return 0
	case errors.Is(context.Cause(a.Ctx), apierror.ErrReplayed):
		// net/http sends what has no body again on PROTOCOL_ERROR too, and does not say so.
		if a.Progress.replayedHTTP2.Load() {
			return upstream.HTTP2Doubt
		}
		return 0
	}
	return upstream.HTTP2Codes[upstream.HTTP2Code(a.Err)]
}
