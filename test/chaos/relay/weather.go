package relay

import "time"

// Weather is what happens on a network for a while. The zero value is a good day: all passes.
type Weather struct {
	// Name says in a word what it is like, for logs.
	Name string
	// Chance is how likely each kind strikes an exchange, or a new connection.
	Chance map[Kind]float64
	// Latency is waited before each piece is forwarded, and up to Jitter more.
	Latency, Jitter time.Duration
	// Rate bounds the bytes per second of a connection in each direction, 0 = no bound.
	Rate int
	// Piece is the most bytes that are forwarded at once, 0 = as they come.
	Piece int
	// Deaf answers no SYN: new connections are neither made nor refused. Where a system's
	// queue of connections cannot be filled, they are made and ignored.
	Deaf bool
}
