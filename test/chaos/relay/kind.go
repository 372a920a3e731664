package relay

// Kind is one way to spoil an exchange or a connection.
type Kind string

// The kinds. Where one says "inside", it strikes at a random byte, of the head or of what follows it.
const (
	// Refuse resets a connection as soon as it is there.
	Refuse Kind = "refuse"
	// Ignore takes a connection, and never forwards or answers anything.
	Ignore Kind = "ignore"
	// Unasked sends bytes that are no HTTP before anything was asked.
	Unasked Kind = "unasked"
	// ResetRequest resets both sides inside the request.
	ResetRequest Kind = "reset-request"
	// CloseRequest closes both sides inside the request.
	CloseRequest Kind = "close-request"
	// SwallowRequest forwards nothing from inside the request on, and stays open.
	SwallowRequest Kind = "swallow-request"
	// DropRequest takes what comes first of the request, forwards none of it, and closes.
	DropRequest Kind = "drop-request"
	// CloseSent closes the near side as soon as the far one has what came of the request.
	CloseSent Kind = "close-sent"
	// ResetAnswer resets both sides inside the answer.
	ResetAnswer Kind = "reset-answer"
	// CloseAnswer closes both sides inside the answer.
	CloseAnswer Kind = "close-answer"
	// SwallowAnswer forwards nothing from inside the answer on, and stays open.
	SwallowAnswer Kind = "swallow-answer"
	// HalfNear ends the answer inside, towards the near side, and goes on taking what it sends.
	HalfNear Kind = "half-near"
	// HalfFar tells the far side inside its answer that the near one has closed, which it has not.
	HalfFar Kind = "half-far"
	// Garbage sends bytes that are no HTTP in place of the answer, and closes.
	Garbage Kind = "garbage"
	// Stall forwards nothing for a while inside the answer, as when packets are lost.
	Stall Kind = "stall"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		Refuse, Ignore, Unasked, ResetRequest, CloseRequest, SwallowRequest, DropRequest, CloseSent,
		ResetAnswer, CloseAnswer, SwallowAnswer, HalfNear, HalfFar, Garbage, Stall,
	}
}

// atOnce reports whether the kind strikes a connection when it is made, and not an exchange.
func (k Kind) atOnce() bool { return k == Refuse || k == Ignore || k == Unasked }

// direction is where bytes go.
type direction int

const (
	up   direction = iota // to the far side: requests
	down                  // to the near side: answers
)

// strikes is the direction whose bytes the kind counts.
func (k Kind) strikes() direction {
	switch k {
	case ResetRequest, CloseRequest, SwallowRequest, DropRequest, CloseSent:
		return up
	default:
		return down
	}
}
