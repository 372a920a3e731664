package idempotency

import (
	"net/http"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
)

// Caller is one caller that waits for the answer of a call that is made apart from it.
type Caller struct {
	*call.Call
	*call.Life
	CallerHost
	Record *call.Result
	Create bool // executing the call twice could create twice
}

// CallerHost is the caller's own exchange.
type CallerHost interface {
	// Launch prepares the execution of the call, whose answer f records.
	Launch(r *http.Request, f *Flight) Execution
	// Adopt takes what a call that is over found out into the caller's own record. first
	// says that it was made for this caller.
	Adopt(e Execution, first bool)
	// Hurry tells a caller early to come back whose client does not come back from its own
	// timeout.
	Hurry(h http.Header)
	// Stamp sets Outrigger's own headers, and share lets the calling page read the answer.
	Stamp(h http.Header)
	Share(h, answer http.Header)
	// ExtendWrite moves the deadline for writing to the caller.
	ExtendWrite()
	// Unusable is the error of an answer that could not be passed on.
	Unusable() *apierror.Error
}
