package response

import "outrigger/policy/endpoint"

// Labels are what the outside of an answer says of its content, and what the request lets
// expect. They may be wrong: they only say what to look for.
type Labels struct {
	Kind, Encoding string
	Dialect        endpoint.Dialect // of its events
	Events         bool             // it may be an event stream, even if it is not labelled so
	Asked          bool             // that is expected: it was asked for, or is labelled so
	Owed           bool             // and nothing else is right: one that ends before it tells is one too
	Whole          bool             // if it is none, all of it is wanted
}
