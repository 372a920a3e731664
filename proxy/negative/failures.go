package negative

import (
	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/response"
)

// maxRepeats bounds the calls remembered as failed. Each is a few hundred bytes, and at
// most maxRepeatBody more where its answer is kept.
const (
	maxRepeats    = 1024
	maxRepeatBody = 4 << 10
)

// Failures remembers the calls that failed for good. Owners, calls and bodies are hashes.
type Failures = policy.Repeats[[32]byte, [32]byte, [32]byte, *Failure]

// NewFailures returns one that remembers nothing.
func NewFailures() *Failures {
	return policy.NewRepeats[[32]byte, [32]byte, [32]byte, *Failure](maxRepeats)
}

// Failure is how a call failed: an answer of the upstream's, or an error of
// Outrigger's own. Only calls of clients that retry by themselves have one.
type Failure struct {
	Answer *response.Buffered // nil if it was an error of Outrigger's own
	Err    *apierror.Error    // nil if it was an answer
}

// Keep returns the failure with an answer to be given again; nil if it is too long.
func Keep(s *response.Buffered) *Failure {
	if len(s.Body) > maxRepeatBody {
		return nil
	}
	return &Failure{Answer: s.WithoutMoment()}
}
