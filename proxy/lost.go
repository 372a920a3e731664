package proxy

import (
	"context"
	"errors"
	"strconv"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
)

// lost returns the error that tells the caller of attempt a, which brought no
// answer.
func (x *exchange) lost(a *attempt) error {
	sent := x.isCreate() && (a.reached() != classify.NotSent || x.doubtful)
	if a.failure == classify.Canceled && (!sent || !errors.Is(context.Cause(x.ctx), errDraining)) {
		return context.Cause(x.ctx)
	}
	if sent {
		return x.ambiguous(describe(a))
	}
	tried, took, name := x.tried(), round(time.Since(x.start)), x.up.config.Name
	switch {
	case a.failure == classify.Starved:
		return fail(apierror.ResourcesExhausted, "No connection to upstream %q could be opened (%s, %s): %s. "+
			"Nothing was sent. Send the request again.", name, tried, took, resources.Shortage(a.err)).After(time.Second)
	case a.failure == classify.Unreachable && !x.connected:
		return fail("upstream_unreachable", "Upstream %q could not be reached in %s over %s (%s). "+
			"Check its URL, DNS and network.", name, tried, took, describe(a))
	case a.failure == classify.Timeout:
		return fail("upstream_timeout", "Upstream %q gave no answer in time (%s, %s). "+
			"Allow more time (OUTRIGGER_TIMEOUT, OUTRIGGER_ATTEMPT_TIMEOUT, or the client's own timeout), or stream the answer.",
			name, tried, took)
	case errors.Is(a.err, errPage):
		return fail("upstream_broke", "Upstream %q answered with a web page where its API answers with JSON (status %d; %s, %s). "+
			"Check its URL and the path: they may not be the API's.", name, a.resp.StatusCode, tried, took)
	case errors.Is(a.err, errEmpty):
		return fail("upstream_broke", "Upstream %q answered with status %d and an empty body where its API answers with JSON (%s, %s). "+
			"Sending the request again is safe.", name, a.resp.StatusCode, tried, took)
	case a.failure == classify.Malformed:
		return fail("upstream_broke", "Upstream %q answered, but %s (%s, %s). The next answer would most likely be the same. "+
			"The upstream, or a proxy in front of it, has to be repaired.", name, describe(a), tried, took)
	}
	return fail("upstream_broke", "The connection to upstream %q broke before its answer was complete (%s; %s, %s). "+
		"Sending the request again is safe.", name, describe(a), tried, took)
}

// ambiguous is the error of a create that may have been carried out.
func (x *exchange) ambiguous(how string) *Error {
	return fail("upstream_ambiguous", "The request was sent to upstream %q and its answer was lost (%s; %s, %s). "+
		"It may have been carried out: look (list the objects) before sending it again.",
		x.up.config.Name, how, x.tried(), round(time.Since(x.start)))
}

// unkept is the error that stands for a failure whose answer did not arrive whole
// in time or was too long to keep, once no further attempt can be made.
func (x *exchange) unkept(a *attempt) *Error {
	if x.isCreate() && a.verdict.Ambiguous {
		return x.ambiguous("the answer, with status " + strconv.Itoa(a.resp.StatusCode) + ", did not arrive whole")
	}
	return fail("upstream_broke", "Upstream %q answered with status %d and more than could be kept (%s, %s). "+
		"Sending the request again is safe.", x.up.config.Name, a.resp.StatusCode, x.tried(), round(time.Since(x.start)))
}

// unusable is the error of an answer that could not be passed on.
func (x *exchange) unusable() *Error {
	return fail("upstream_broke", "The upstream's answer could not be passed on (%s, %s).",
		x.tried(), round(time.Since(x.start)))
}

// describe names a transport failure in words without addresses or URLs.
func describe(a *attempt) string {
	switch {
	case errors.Is(a.err, errAttemptTimeout), a.failure == classify.Timeout:
		return "timeout"
	case a.failure == classify.Unreachable, a.failure == classify.Starved:
		return connectFailure(a.err)
	case a.failure == classify.Refused:
		return "the server refused the stream"
	case a.failure == classify.Canceled:
		return "Outrigger is shutting down"
	case a.failure == classify.TooLarge:
		return "the answer's headers are too large"
	case a.failure == classify.Malformed:
		return "the answer is not valid HTTP: " + malformation(a.err)
	}
	return brokenConnection(a.err)
}

// tried tells of the attempts, in words for a message.
func (x *exchange) tried() string {
	n := attempts(x.record.attempts)
	if x.record.sticky {
		n += " at the only place for what the request refers to"
	}
	if x.record.failover == "" {
		return n
	}
	return n + " in all, before at " + x.record.failover
}

// attempts is their number, in words for a message.
func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return strconv.Itoa(n) + " attempts"
}
