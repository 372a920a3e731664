package settings

// WebSocketMode says whether WebSockets are carried. The zero value means WebSocketPass.
type WebSocketMode string

// The modes for WebSockets.
const (
	WebSocketPass WebSocketMode = "pass"
	// WebSocketRefuse answers 426. What goes through a WebSocket is not paced or
	// retried call by call, and some clients have a way by HTTP beside it: Codex takes that at
	// once after a 426 (openai/codex#43353), and after any other failure only when five
	// more tries have failed.
	WebSocketRefuse WebSocketMode = "refuse"
)
