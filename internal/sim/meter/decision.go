package meter

import "time"

// Dimension is what a limit counts, and over which time.
type Dimension uint8

// The dimensions, in the order in which they are checked.
const (
	RequestsPerMinute Dimension = iota
	RequestsPerDay
	TokensPerMinute
	TokensPerDay
	ImagesPerMinute
	dimensions
)

// Unit is "requests", "tokens" or "images".
func (d Dimension) Unit() string {
	switch d {
	case TokensPerMinute, TokensPerDay:
		return "tokens"
	case ImagesPerMinute:
		return "images"
	default:
		return "requests"
	}
}

// Window is a minute or a day.
func (d Dimension) Window() time.Duration {
	if d == RequestsPerDay || d == TokensPerDay {
		return 24 * time.Hour
	}
	return time.Minute
}

// String is the short name, as in the brackets of real messages: "RPM".
func (d Dimension) String() string {
	return [...]string{"RPM", "RPD", "TPM", "TPD", "IPM"}[d]
}

// Cost is what one request asks for. Every request also costs one request.
type Cost struct {
	Tokens int
	Images int
}

// of returns the units that the cost has in a dimension.
func (c Cost) of(d Dimension) int {
	switch d.Unit() {
	case "tokens":
		return c.Tokens
	case "images":
		return c.Images
	default:
		return 1
	}
}

// Level is the state of one dimension as the limit headers show it.
type Level struct {
	Limit     int
	Remaining int
	// Reset is the time until all of it is available again.
	Reset time.Duration
}

// Decision is the answer to one request.
type Decision struct {
	// Admitted requests have been charged.
	Admitted bool
	// TooLarge requests ask for more than the limit and never fit. Wait is 0.
	TooLarge bool
	// Dimension, Limit, Used, Requested: the limit that refuses with the longest wait.
	Dimension Dimension
	Limit     int
	Used      int
	Requested int
	// Wait is the hint; 0 when there is none to give.
	Wait time.Duration
	// Row is Limit.Row. With it, Levels are empty.
	Row string
	// Levels of the dimensions that are limited, after this request.
	Levels [dimensions]Level
}

// Limited reports whether any dimension has a limit.
func (d Decision) Limited() bool { return d.Levels != [dimensions]Level{} }
