package claims

import "context"

// Store keeps claims and answers. All methods are safe for concurrent use.
//
// Errors of all methods:
//   - ErrUnavailable: the store cannot answer now. It changed nothing that a later call
//     would not find: a write of unknown outcome is undone or completed once the store
//     answers again.
//   - ErrFull: there is no room for a claim or for its end.
//   - ErrClosed, which is an ErrUnavailable: after Close.
//   - The context's error, when the context ended first.
type Store interface {
	// HashKey returns the secret under which keys and fingerprints are hashed. It lasts as
	// long, and is shared as widely, as what is stored. It may change while a shared store
	// is empty, so ask for it once per call; that costs no round trip.
	HashKey(context.Context) ([32]byte, error)
	// Begin claims the call, or returns what is known of it. It does not wait for other
	// calls.
	Begin(context.Context, Call) (Claim, error)
	// Wait is Begin for a call that was found Running: it waits for the end, and returns
	// what Begin would then. That is Claimed for one of the callers that wait, when the end
	// was a Release.
	Wait(context.Context, Call) (Claim, error)
	// Finish stores a copy of the answer: the call is Done. When it returns nil, the answer
	// survives what the store survives. ErrTooLarge when the answer is over Largest, ErrFull
	// when there is no room for it; the claim is then ended as by Lose. ErrNotHeld when the
	// caller does not hold the claim, or no longer.
	Finish(context.Context, Claim, *Answer) error
	// Release ends the claim of a call that was certainly not carried out, or of a compute
	// that failed: the key is free again. ErrNotHeld as for Finish.
	Release(context.Context, Claim) error
	// Lose ends the claim of a call that may have been carried out, but whose answer is
	// missing or was not kept; status is the answer's, 0 for none. A create is Unknown from
	// then on, a compute's key is free. ErrNotHeld as for Finish.
	Lose(ctx context.Context, claim Claim, status int) error
	// Largest is the Size of the largest answer that is stored, in bytes, so that nobody
	// need record more than that.
	Largest() int64
	// Close ends the store. Claims that were not ended are as if the process had died.
	Close() error
}
