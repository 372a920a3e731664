// Package process builds the outrigger binary and runs it for the tests that need
// it the way users have it: as a process, told everything by its environment,
// ended by a signal.
package process
