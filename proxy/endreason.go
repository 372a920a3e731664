package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"

	"outrigger/policy/classify"
)

// Why an answer broke off, as the log has it.
const (
	reasonReset    = "reset"     // the upstream reset the connection, or the stream in it
	reasonEarlyEnd = "early_end" // it ended the answer before that was whole
	reasonSilence  = "silence"   // it sent nothing for too long (OUTRIGGER_STREAM_IDLE_TIMEOUT)
	reasonParse    = "parse"     // what it sent could not be read
	reasonLost     = "lost"      // the connection was lost in another way
	reasonShutdown = "shutdown"  // Outrigger ended it, at the end of a drain or at a second signal
)

// cutReason tells why an answer broke off with err, in an attempt with context ctx.
func cutReason(ctx context.Context, err error, unreadable bool) string {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errDraining):
		return reasonShutdown
	case errors.Is(cause, errStreamIdle):
		return reasonSilence
	case unreadable, malformation(err) != "":
		return reasonParse
	}
	return lossReason(err)
}

// lossReason tells how a connection was lost.
func lossReason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), http2Code(err) != "":
		return reasonReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return reasonEarlyEnd
	}
	return reasonLost
}

// isWarning reports whether somebody should look at how the request ended: Outrigger failed
// it, it broke off, it may have been carried out unseen, or no call with its key succeeds
// until somebody pays or changes the key.
func (r *Result) isWarning() bool {
	switch {
	case r.outcome == outcomeInterrupted:
		return true
	case r.source == sourceLocal:
		return r.status >= http.StatusInternalServerError || r.errorCode == "upstream_ambiguous" || r.errorCode == "idempotency_outcome_unknown"
	}
	return r.verdict.Outcome == classify.OutcomeQuota || r.verdict.Outcome == classify.OutcomeCredential
}
