package loop

import (
	"net/http"
	"strings"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
)

// failureFor is what attempt a's failure counts as. What is malformed comes again, but not
// surely: calls like it may have been answered well just now, or stray bytes of the answer
// before stood on a kept connection. Then it is worth one repeat.
func (x *Run) failureFor(a *attempt.Attempt) classify.Failure {
	switch {
	case a.Failure != classify.Malformed:
	case a.Resp != nil && a.Resp.StatusCode >= http.StatusBadRequest:
		return classify.Broke // the status tells, although its body cannot be read
	case a.Progress.Reused.Load() && strings.Contains(a.Err.Error(), "malformed HTTP response"),
		x.Trend().SucceededAfter(time.Now().Add(-attempt.MalformedTime)):
		return classify.TooLarge
	}
	return a.Failure
}
