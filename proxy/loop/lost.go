package loop

import (
	"context"
	"errors"
	"strconv"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/wire"
)

// lost returns the error that tells the caller of attempt a, which brought no
// answer.
func (x *Run) lost(a *attempt.Attempt) error {
	sent := x.IsCreate() && (a.Reached() != classify.NotSent || x.doubtful)
	if a.Failure == classify.Canceled && (!sent || !errors.Is(context.Cause(x.Ctx), apierror.ErrDraining)) {
		return context.Cause(x.Ctx)
	}
	if sent {
		return x.ambiguous(attempt.Describe(a))
	}
	tried, took, name := x.Tried(), apierror.Round(time.Since(x.Start)), x.Up.Config.Name
	switch {
	case a.Failure == classify.Starved:
		return apierror.New(apierror.ResourcesExhausted, "No connection to upstream %q could be opened (%s, %s): %s. "+
			"Nothing was sent. Send the request again.", name, tried, took, resources.Shortage(a.Err)).After(time.Second)
	case a.Failure == classify.Unreachable && !x.connected:
		return apierror.New(apierror.UpstreamUnreachable, "Upstream %q could not be reached in %s over %s (%s). "+
			"Check its URL, DNS and network.", name, tried, took, attempt.Describe(a))
	case a.Failure == classify.Timeout:
		return apierror.New(apierror.UpstreamTimeout, "Upstream %q gave no answer in time (%s, %s). "+
			"Allow more time (OUTRIGGER_TIMEOUT, OUTRIGGER_ATTEMPT_TIMEOUT, or the client's own timeout), or stream the answer.",
			name, tried, took)
	case errors.Is(a.Err, attempt.ErrPage):
		return apierror.New(apierror.UpstreamBroke, "Upstream %q answered with a web page where its API answers with JSON (status %d; %s, %s). "+
			"Check its URL and the path: they may not be the API's.", name, a.Resp.StatusCode, tried, took)
	case errors.Is(a.Err, attempt.ErrEmpty):
		return apierror.New(apierror.UpstreamBroke, "Upstream %q answered with status %d and an empty body where its API answers with JSON (%s, %s). "+
			"Sending the request again is safe.", name, a.Resp.StatusCode, tried, took)
	case a.Failure == classify.Malformed:
		return apierror.New(apierror.UpstreamBroke, "Upstream %q answered, but %s (%s, %s). The next answer would most likely be the same. "+
			"The upstream, or a proxy in front of it, has to be repaired.", name, attempt.Describe(a), tried, took)
	}
	return apierror.New(apierror.UpstreamBroke, "The connection to upstream %q broke before its answer was complete (%s; %s, %s). "+
		"Sending the request again is safe.", name, attempt.Describe(a), tried, took)
}

// ambiguous is the error of a create that may have been carried out.
func (x *Run) ambiguous(how string) *apierror.Error {
	return apierror.New(apierror.UpstreamAmbiguous, "The request was sent to upstream %q and its answer was lost (%s; %s, %s). "+
		"It may have been carried out: look (list the objects) before sending it again.",
		x.Up.Config.Name, how, x.Tried(), apierror.Round(time.Since(x.Start)))
}

// unkept is the error that stands for a failure whose answer did not arrive whole
// in time or was too long to keep, once no further attempt can be made.
func (x *Run) unkept(a *attempt.Attempt) *apierror.Error {
	if x.IsCreate() && a.Verdict.Ambiguous {
		return x.ambiguous("the answer, with status " + strconv.Itoa(a.Resp.StatusCode) + ", did not arrive whole")
	}
	return apierror.New(apierror.UpstreamBroke, "Upstream %q answered with status %d and more than could be kept (%s, %s). "+
		"Sending the request again is safe.", x.Up.Config.Name, a.Resp.StatusCode, x.Tried(), apierror.Round(time.Since(x.Start)))
}

// Unusable is the error of an answer that could not be passed on.
func (x *Run) Unusable() *apierror.Error {
	return apierror.New(apierror.UpstreamBroke, "The upstream's answer could not be passed on (%s, %s).",
		x.Tried(), apierror.Round(time.Since(x.Start)))
}

// Tried tells of the attempts, in words for a message.
func (x *Run) Tried() string {
	n := apierror.Attempts(x.Record.Attempts)
	if x.Sticky {
		n += " at the only place for what the request refers to"
	}
	if x.Record.Failover == "" {
		return n
	}
	return n + " in all, before at " + x.Record.Failover
}

// OutOfTime reports whether the time that the caller itself announced ended a
// request that may be sent again: its own retries are its choice then.
func (x *Run) OutOfTime() bool {
	return x.Announced && !x.IsCreate() && (x.Late || errors.Is(context.Cause(x.Ctx), apierror.ErrDeadline))
}

// MayBeDone reports whether a create that has ended without a whole answer may have
// been carried out all the same.
func (x *Run) MayBeDone(status int) bool {
	r := &x.Record
	switch {
	case r.Attempts == 0:
		return false
	case status == 0 && x.Current == nil && !x.doubtful:
		return false // it ended between attempts, each of which had its answer
	case x.doubtful: // an earlier attempt may have, whatever the last one was told
		return true
	case r.Source == call.SourceLocal:
		return r.Local == apierror.UpstreamAmbiguous || r.Local == apierror.UpstreamBroke
	}
	return status == 0 || wire.IsSuccess(status) || r.Uncertain(status)
}

// keepsLast reports whether a request that ends with err is answered with its last attempt's
// answer. That of a limit is none where it was to wait for the limit, and a drain ends that.
func (x *Run) keepsLast(err error) bool {
	return x.last != nil && !x.Left() && (!errors.Is(err, apierror.ErrDraining) || x.last.Verdict.Limiter == classify.LimiterNone)
}
