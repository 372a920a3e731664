package claims

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable says that the store cannot answer now. The error that wraps it says
	// why, without secrets.
	ErrUnavailable = errors.New("the store of idempotent answers cannot be used")
	// ErrClosed says that the store was closed. It is an ErrUnavailable.
	ErrClosed = fmt.Errorf("%w: it is closed", ErrUnavailable)
	// ErrMemory says that an answer is stored, but that there is no memory now to read it
	// into. It is an ErrUnavailable.
	ErrMemory = fmt.Errorf("%w: there is no memory left to read the answer into", ErrUnavailable)
	// ErrTooLarge says that an answer is larger than Store.Largest.
	ErrTooLarge = errors.New("the answer is too large to be stored")
	// ErrFull says that there is no room for an answer or a claim, such as on a full disk.
	// The error that wraps it wraps the cause too.
	ErrFull = errors.New("there is no room to store the answer")
	// ErrNotHeld says that a claim has ended, or has passed to somebody else.
	ErrNotHeld = errors.New("the claim is not held")
)
