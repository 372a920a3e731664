package claims

import (
	"context"
	"net/http"
	"time"
)

// Key names a call: a hash, under HashKey, of the caller's credential, its client
// token and its idempotency key.
type Key [32]byte

// Fingerprint tells calls of one key apart: a hash, under HashKey, of the method,
// path, query and body.
type Fingerprint [32]byte

// Owner tells callers apart: a hash of the credential. Whoever fills a store makes room
// with what is its own.
type Owner [8]byte

// Call is what a store needs to know of a call.
type Call struct {
	Key   Key
	Print Fingerprint
	Owner Owner
	// Create is whether doing it twice could create twice: see the package's doc.
	Create bool
}

// State is what a store knows of a call.
type State uint8

// The states of a call. The zero State is none of them.
const (
	// Claimed: nobody runs it and nobody did; the caller that is told so runs it.
	Claimed State = iota + 1
	// Running: somebody else runs it, since Claim.Since. Wait for the end.
	Running
	// Done: it was done, with Claim.Answer.
	Done
	// Unknown: a create that was begun at Claim.Since, and whose answer there is not.
	// It may have been done. The same call must not run again.
	Unknown
	// Mismatch: the key belongs to a call with another fingerprint.
	Mismatch
)

// String returns the state's name in lower case.
func (s State) String() string {
	names := [...]string{"none", "claimed", "running", "done", "unknown", "mismatch"}
	if int(s) < len(names) {
		return names[s]
	}
	return "invalid"
}

// Answer is a complete answer, as it is replayed. Neither it nor what it refers to
// may be changed once it was given to a store or came from one.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Stored is when a store took it in; set by Finish in the answer that later
	// claims return.
	Stored time.Time
}

// Size returns what the answer counts for against Largest and the bound in bytes:
// its body, and its header as it would be sent.
func (a *Answer) Size() int64 {
	n := int64(len(a.Body))
	for name, values := range a.Header {
		for _, value := range values {
			n += int64(len(name) + len(value) + len(": \r\n"))
		}
	}
	return n
}

// Claim is what Begin and Wait found. One with State Claimed wants exactly one of
// Finish, Release and Lose.
type Claim struct {
	State State
	// Answer is the stored answer when State is Done, else nil.
	Answer *Answer
	// Since is when the call began when State is Claimed, Running, Done or Unknown.
	Since time.Time
	// Status is the HTTP status that an Unknown call was answered with, when there was
	// an answer that could not be kept; 0 when nothing is known.
	Status int

	Call  Call
	Token Token
	loan  *Loan // see Free
}

// Store keeps claims and answers. All methods are safe for concurrent use.
//
// Errors of all methods: ErrUnavailable when the store cannot answer, which then
// changed nothing that a later call would not find (a write whose fate is not known
// is undone or completed once the store answers again); ErrFull, when there is no room
// for a claim or its end; ErrClosed, which is an
// ErrUnavailable, after Close; the context's error when it ended first.
type Store interface {
	// HashKey returns the secret under which keys and fingerprints are hashed. It is
	// as lasting, and as widely shared, as what is stored. It may change while a
	// shared store is empty, so ask for it once per call; it costs no round trip.
	HashKey(context.Context) ([32]byte, error)
	// Begin claims the call, or tells what is known of it. It does not wait for
	// other calls.
	Begin(context.Context, Call) (Claim, error)
	// Wait is Begin for a call that was found Running: it waits for the end, and then
	// returns what Begin would. That can be Claimed, for one of those that wait, when
	// the end was a Release.
	Wait(context.Context, Call) (Claim, error)
	// Finish stores the answer, from then on found as Done. When it returns nil, the
	// answer survives what the store survives. ErrTooLarge when the answer is over
	// Largest, ErrFull when there is no room for it; the claim is then ended as by
	// Lose. The answer is copied. ErrNotHeld when the claim is not, or no longer, the caller's.
	Finish(context.Context, Claim, *Answer) error
	// Release ends the claim of a call that surely did nothing, or of a compute that
	// failed: the key is free again. ErrNotHeld as for Finish.
	Release(context.Context, Claim) error
	// Lose ends the claim of a call that may have been done but whose answer is not
	// there or was not kept; status is the answer's, 0 for none. A create is Unknown
	// from then on, a compute released. ErrNotHeld as for Finish.
	Lose(ctx context.Context, claim Claim, status int) error
	// Largest is the Size of the largest answer that is stored, in bytes, so that
	// nobody need record more than that.
	Largest() int64
	// Close ends the store; claims that are not ended are as if the process had died.
	Close() error
}
