package spool

import "errors"

var (
	// ErrTooLarge says that a body is longer than BodyMax, or announced as longer.
	ErrTooLarge = errors.New("the request body is larger than allowed")
	// ErrFull says that neither memory nor disk is left for a body. The error that
	// wraps it also wraps the cause, such as syscall.ENOSPC.
	ErrFull = errors.New("no memory or disk is left to keep the request body")
	// ErrClosed says that a body, or the reader of one, was closed before the read.
	ErrClosed = errors.New("the request body was closed")
)

// Causes that ErrFull is wrapped with when no system call failed.
var (
	errMemory = errors.New("the memory for all requests is used up")
	errSpool  = errors.New("the disk space for all spool files is used up")
)

// ReadError says that the caller's body could not be read to its end: the caller
// left, sent less than it announced, or broke the transfer coding.
type ReadError struct {
	// Err is what the caller's side reported; io.ErrUnexpectedEOF for a body that
	// was shorter than announced.
	Err error
}

// Error says what was attempted and why it failed.
func (e *ReadError) Error() string { return "reading the request body: " + e.Err.Error() }

// Unwrap returns Err.
func (e *ReadError) Unwrap() error { return e.Err }
