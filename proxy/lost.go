package proxy

import (
	"context"
	"errors"
	"time"

	"outrigger/policy/classify"
)

// lost returns the error that tells the caller of attempt a, which brought no
// answer.
func (x *exchange) lost(a *attempt) error {
	if a.failure == classify.Canceled {
		return context.Cause(x.ctx)
	}
	tried, took, name := x.record.attempts, round(time.Since(x.start)), x.up.config.Name
	if x.isCreate() && a.reached() != classify.NotSent {
		return fail("upstream_ambiguous", "The request was sent to upstream %q and its answer was lost (%s; %d attempts, %s). "+
			"It may have been carried out: look (list the objects) before sending it again.", name, describe(a), tried, took)
	}
	switch a.failure {
	case classify.Unreachable:
		return fail("upstream_unreachable", "Upstream %q could not be reached in %d attempts over %s (%s). "+
			"Check its URL, DNS and network.", name, tried, took, describe(a))
	case classify.Timeout:
		return fail("upstream_timeout", "Upstream %q gave no answer in time (%d attempts, %s). "+
			"Allow more time (OUTRIGGER_TIMEOUT, OUTRIGGER_ATTEMPT_TIMEOUT, or the client's own timeout), or stream the answer.",
			name, tried, took)
	}
	return fail("upstream_broke", "The connection to upstream %q broke before its answer was complete (%s; %d attempts, %s). "+
		"Sending the request again is safe.", name, describe(a), tried, took)
}

// describe names a transport failure in words without addresses or URLs.
func describe(a *attempt) string {
	switch {
	case errors.Is(a.err, errAttemptTimeout), a.failure == classify.Timeout:
		return "timeout"
	case a.failure == classify.Unreachable:
		return connectFailure(a.err)
	case a.failure == classify.Refused:
		return "the server refused the stream"
	case a.failure == classify.TooLarge:
		return "the answer's headers are too large"
	}
	return brokenConnection(a.err)
}
