package idempotency

import (
	"errors"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/wire"
)

// The values of outrigger_idempotency_total's label, and of the log's field.
const (
	// Of a call that was made:
	resultStored   = "stored"     // its answer is stored
	resultFailed   = "failed"     // it failed and surely did nothing that is missed: the next one runs
	resultTooLarge = "too_large"  // its answer is longer than is stored, or than there was memory for
	resultUnstored = "not_stored" // the store could not take the answer
	resultLost     = "lost"       // a create whose answer was lost: the key is kept from running again
	resultNoStore  = "no_store"   // it was made without the store, which did not answer
	resultReplayed = "replayed"   // the stored answer was given
	resultWaited   = "waited"     // the answer of the same call, which was under way, was given
	resultInUse    = "in_use"     // it was still under way at the caller's deadline (409)
	resultReused   = "reused"     // the key belongs to another call (422)
	resultUnknown  = "unknown"    // a create that may have been carried out (409)
	resultRefused  = "store_down" // a create while the store does not answer or is full (503)
	ResultInvalid  = "invalid"    // no usable key (400)

	// Of a call whose callers left, beside what became of it:
	resultCrowded = "crowded" // it ended with them, since too many go on without theirs

	// Of a call without a key (OUTRIGGER_REJOIN):
	resultAbandoned = "abandoned" // its caller left, and it went on
	resultRejoined  = "rejoined"  // its caller's retry was given its answer
	resultUnclaimed = "unclaimed" // no retry came
)

// errAgain says that the flight is over: the caller has to ask anew.
var errAgain = errors.New("the call that was waited for is over")

// inUse is the answer to a caller that cannot wait any longer. Cause is why.
func (s *Calls) inUse(x *Caller, cause error, f *Flight) error {
	if !errors.Is(cause, apierror.ErrDeadline) {
		return cause
	}
	x.Record.Attempts = f.attempts(x)
	e := apierror.New(apierror.IdempotencyKeyInUse, "The call with this Idempotency-Key is still being made, since %s. "+
		"It goes on: ask again with the same key to get its answer.", apierror.Round(time.Since(x.Start)))
	return s.result(x, resultInUse, e.After(x.soon(e.RetryAfter)))
}

// soon is how long a client whose own timeout ended the wait is told to wait before
// it asks again: usual, but openai-go waits inside the timeout of the try that has
// just ended (requestconfig.go, Execute and WaitForDelay, v3.96.0), of which no more
// is left than the margin of an early policy.PatienceOf.
func (x *Caller) soon(usual time.Duration) time.Duration {
	if !x.Identity.Hasty || !x.Announced {
		return usual
	}
	return min(x.Deadline.Sub(x.Start)/9, time.Second) / 2
}

// unknown tells what is known of a create whose answer was lost.
func unknown(c claims.Claim) *apierror.Error {
	how := "its answer was lost"
	if c.Status != 0 {
		how = "its answer, with status " + wire.StatusLabel(c.Status) + ", could not be kept"
	}
	return apierror.New(apierror.IdempotencyOutcomeUnknown, "A call with this Idempotency-Key was begun at %s (%s ago) and %s. "+
		"It may have been carried out, so it is not repeated: look (list the objects), and if it was not, send it again with a new key.",
		c.Since.UTC().Format(time.RFC3339), apierror.Round(time.Since(c.Since)), how)
}

// refusedCreate is the answer to a create whose key the store could not claim.
func refusedCreate(why error) *apierror.Error {
	what := "does not answer, so nobody can tell whether this call was made before"
	switch {
	case errors.Is(why, claims.ErrFull):
		what = "has no room (a full disk or Redis, or too many creates whose outcome is unknown: see OUTRIGGER_IDEMPOTENCY_BYTES), so nobody could tell later that this call was made"
	case errors.Is(why, claims.ErrMemory):
		what = "has the answer to this call, but there is no memory left to read it into (OUTRIGGER_MEMORY_MAX)"
	}
	return apierror.New(apierror.IdempotencyStoreUnavailable,
		"The store of idempotent answers %s, and making it twice could create twice. Nothing was sent. Send it again.", what)
}

// notStored is the value of x-outrigger-idempotency on an answer that later calls
// with its key will not be given.
const notStored = "not-stored"
