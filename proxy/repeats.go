package proxy

import (
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/loop"
	proxywire "outrigger/proxy/wire"
)

// recall looks whether the call is the repeat of one that failed for good: then it is
// attempted once, or, for a client that retries whatever it is told and whose own tries
// are spent, not at all.
func (x *exchange) recall(r *http.Request) {
	if proxywire.IsWebSocket(r.Header) || x.Once != nil || x.Config.Retry.Max == 0 {
		return // nothing is attempted twice
	}
	x.Repeat.Caller = r
	if x.Config.Retry.ClientRetries != policy.ClientRetriesAllow {
		x.Repeat.Few = policy.SelfRetries(r.UserAgent())
	}
	now := time.Now()
	if !x.Failures.Any(now) {
		return
	}
	x.NameCall()
	if !x.Failures.Known(x.Repeat.Call) || !x.NameBody() {
		return
	}
	last, ago, repeat := x.Failures.Take(now, x.Repeat.Call, x.Repeat.Body)
	switch {
	case !repeat:
	case last != nil && x.Repeat.Few > 0 && x.Identity.Key == "" && ago < policy.RepeatTime && !x.Trend().SucceededAfter(now.Add(-ago)):
		x.Repeat.Mark, x.Repeat.Answer = loop.RepeatRemembered, last
	default:
		x.Repeat.Mark = loop.RepeatSingle
	}
}

// withRepeat returns e with a word on what the repeat of a failed call gets.
func (x *exchange) withRepeat(e *apierror.Error) *apierror.Error {
	told := *e
	switch {
	case x.Repeat.Mark == "":
		return e
	case x.Record.Attempts > 0:
		told.Message += " The same call failed a moment ago, so this repeat was attempted only once."
	case x.Repeat.Mark == loop.RepeatSingle:
		told.Message += " The same call failed a moment ago, so this repeat did not wait for long."
	default:
		told.Message += " That is what the same call was told a moment ago: this repeat was not attempted, since the retries that this client makes by itself were made here already."
	}
	return &told
}
