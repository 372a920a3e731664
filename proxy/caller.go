package proxy

import "net/http"

// Caller is one caller that waits for the answer of a call that is made apart from it.
type Caller struct {
	*Call
	*Life
	callerHost
	record *Result
	create bool // doing the call twice could create twice: see unrepeatable
}

// callerHost is the caller's own exchange.
type callerHost interface {
	// launch prepares the execution of the call, whose answer f records.
	launch(r *http.Request, f *flight) Execution
	// adopt takes what a call that is over found out into the caller's own record. first
	// says that it was made for this caller.
	adopt(e Execution, first bool)
	// hurry tells a caller early to come back whose client does not come back from its own
	// timeout.
	hurry(h http.Header)
	// stamp sets Outrigger's own headers, and share lets the calling page read the answer.
	stamp(h http.Header)
	share(h, answer http.Header)
	// extendWrite moves the deadline for writing to the caller.
	extendWrite()
	// unusable is the error of an answer that could not be passed on.
	unusable() *Error
}
