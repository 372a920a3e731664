package claims

import (
	"crypto/rand"
	"time"
)

// Claim is what Begin and Wait found. A Claim with State Claimed wants exactly one of
// Finish, Release and Lose.
type Claim struct {
	State State
	// Answer is the stored answer when State is Done, else nil.
	Answer *Answer
	// Since is when the call began when State is Claimed, Running, Done or Unknown.
	Since time.Time
	// Status is the HTTP status of the answer to an Unknown call, when there was an answer
	// that could not be kept; 0 when nothing is known.
	Status int

	// Call and Token are by which a store knows its claim again. They are set when State
	// is Claimed.
	Call  Call
	Token Token

	loan *Loan // see Free
}

// Free says that the claim's answer is not read any more. It must be called on each claim
// with an answer, after its last use. Further calls do nothing.
func (c Claim) Free() { c.loan.Free() }

// Token tells a claim from all other claims of the same call, so that a caller that lost
// its claim cannot end the next one.
type Token [16]byte

// NewToken returns a random token.
func NewToken() Token {
	var t Token
	_, _ = rand.Read(t[:]) // never fails: see its doc
	return t
}
