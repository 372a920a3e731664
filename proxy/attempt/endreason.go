package attempt

import (
	"context"
	"errors"
	"io"
	"syscall"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/upstream"
)

// CutReason tells why an answer broke off with err, in an attempt with context ctx.
func CutReason(ctx context.Context, err error, unreadable bool) string {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, apierror.ErrDraining):
		return call.ReasonShutdown
	case errors.Is(cause, apierror.ErrStreamIdle):
		return call.ReasonSilence
	case unreadable, malformation(err) != "":
		return call.ReasonParse
	}
	return LossReason(err)
}

// LossReason tells how a connection was lost.
func LossReason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), upstream.HTTP2Code(err) != "":
		return call.ReasonReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return call.ReasonEarlyEnd
	}
	return call.ReasonLost
}
