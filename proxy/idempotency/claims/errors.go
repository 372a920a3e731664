package claims

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable says that the store cannot answer now. The error that wraps it
	// says why, without secrets.
	ErrUnavailable = errors.New("the store of idempotent answers cannot be used")
	// ErrClosed is an ErrUnavailable for good.
	ErrClosed = fmt.Errorf("%w: it is closed", ErrUnavailable)
	// ErrTooLarge says that an answer is larger than Largest.
	ErrTooLarge = errors.New("the answer is too large to be stored")
	// ErrFull says that there is no room for an answer or a claim, such as on a full
	// disk. The error that wraps it wraps the cause too.
	ErrFull = errors.New("there is no room to store the answer")
	// ErrNotHeld says that a claim was ended before, or has passed to somebody else.
	ErrNotHeld = errors.New("the claim is not held")
	// ErrSpec says that a text names no store.
	ErrSpec = errors.New("not a store")
)
