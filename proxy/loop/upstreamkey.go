package loop

import (
	"net/http"
	"strconv"

	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/wire"
)

// upstreamKey is what an exchange knows of the Idempotency-Key that the upstream gets. Where
// the caller sent none, Outrigger makes one, so that an upstream that honours keys does
// not make the same call twice when an answer is lost.
type upstreamKey struct {
	MadeKey bool // it is Outrigger's
	keys    int  // how many were made after the first
	openKey bool // an attempt with the present one may still be under way
	rejoins int  // how often the upstream said so
}

// isKeyed reports whether a call with the same key may be under way at the upstream.
func (x *Run) isKeyed() bool {
	if x.request == nil || len(wire.SentKey(x.request.Header)) == 0 {
		return false
	}
	return !x.MadeKey || x.openKey
}

// renewKey takes in how attempt a ended, which is given up. An upstream that honours keys
// would replay a recorded failure for ever, so a key that Outrigger made is made anew after
// a whole answer. After an end that leaves open what became of the call, it protects. The
// answer to a create that may have been carried out is such an end too.
func (x *Run) renewKey(a *attempt.Attempt) {
	switch {
	case a.Verdict.Repeat == classify.Rejoin:
		x.openKey = true
		x.rejoins++
	case a.Verdict.Ambiguous, a.Save() == nil && a.Reached() != classify.NotSent:
		x.openKey = true
	case a.Resp != nil:
		x.openKey, x.rejoins = false, 0
		x.keys++
	}
}

// sendKey puts the present key into an attempt's request, whose headers others share.
func (x *Run) sendKey(req *http.Request) {
	if x.keys == 0 || !x.MadeKey {
		return
	}
	req.Header = req.Header.Clone()
	req.Header[wire.KeyIdempotency] = []string{x.ID + "-" + strconv.Itoa(x.keys+1)}
}
