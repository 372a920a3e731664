package stream

import (
	"context"
	"time"

	"outrigger/proxy/call"
	"outrigger/proxy/lane"
	"outrigger/proxy/observe"
)

// Serving is what a committed answer needs of the run that brought it.
type Serving struct {
	*call.Call
	Host
	Record      *call.Result
	Ctx         context.Context
	Up          *lane.Lane // that answered
	Recorder    observe.Recorder
	Idle        time.Duration // the longest silence inside the answer; 0 is no bound
	BreakerWait time.Duration // how long a resume waits at an open breaker
}

// Host is the run's side of a committed answer.
type Host interface {
	// ExtendWrite moves the deadline for writing to the caller.
	ExtendWrite()
	// Withhold keeps what is written from now on until the answer is stored: it is its end.
	Withhold()
	// BrokeOff tells the breakers that the answer broke off.
	BrokeOff()
	// Left reports whether the caller is gone.
	Left() bool
	// Mask hides credentials in what the upstream said.
	Mask(message string) string
}
