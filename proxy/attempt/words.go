package attempt

import (
	"errors"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
)

// Describe names a transport failure in words without addresses or URLs.
func Describe(a *Attempt) string {
	switch {
	case errors.Is(a.Err, apierror.ErrAttemptTimeout), a.Failure == classify.Timeout:
		return "timeout"
	case a.Failure == classify.Unreachable, a.Failure == classify.Starved:
		return ConnectFailure(a.Err)
	case a.Failure == classify.Refused:
		return "the server refused the stream"
	case a.Failure == classify.Canceled:
		return "Outrigger is shutting down"
	case a.Failure == classify.TooLarge:
		return "the answer's headers are too large"
	case a.Failure == classify.Malformed:
		return "the answer is not valid HTTP: " + malformation(a.Err)
	}
	return BrokenConnection(a.Err)
}
