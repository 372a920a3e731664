package apierror

import "errors"

// Causes with which a request's context is ended by Outrigger itself. A context
// that ends without one of these was ended by the caller's leaving.
var (
	ErrDeadline       = errors.New("the request's deadline passed")
	ErrAttemptTimeout = errors.New("the attempt's timeout passed")
	ErrStreamIdle     = errors.New("the answer fell silent")
	ErrHints          = errors.New("too many 1xx answers")
	ErrSwitched       = errors.New("malformed answer: it switches protocols unasked")
	ErrReplayed       = errors.New("the transport was about to send the request again by itself")
	ErrFinished       = errors.New("the request is finished")
	ErrDraining       = errors.New("a drain ended the request")
	ErrAbandoned      = errors.New("the attempt was given up")
	ErrClosing        = errors.New("the wait would outlast the drain")
)
