package admission

import "outrigger/policy/concurrency"

// ConcurrencyStatus is what is known of a limit on calls in flight.
type ConcurrencyStatus struct {
	concurrency.Snapshot
	// Queue is how many wait for a call to end.
	Queue int `json:"queue"`
}
