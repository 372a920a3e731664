package priority

import (
	"errors"
	"fmt"
)

// Priority says how urgent a request is. A larger one is more urgent. The zero value is Normal.
type Priority int8

// The priorities.
const (
	Low Priority = iota - 1
	Normal
	High
)

// Count is how many there are.
const Count = 3

// All are the priorities by Index: the most urgent first.
var All = [Count]Priority{High, Normal, Low}

// ErrUnknown is returned for a text that names no priority.
var ErrUnknown = errors.New("want high, normal or low")

// words are their names, by Index.
var words = [Count]string{"high", "normal", "low"}

// weights are their shares of the turns, by Index.
var weights = [Count]int64{8, 4, 1}

// Parse returns the priority that text names, in lower case, or ErrUnknown.
func Parse(text string) (Priority, error) {
	for i, word := range words {
		if text == word {
			return All[i], nil
		}
	}
	return Normal, ErrUnknown
}

// Index is 0 for High, 1 for Normal and 2 for Low. Values beyond count as the nearest.
func (p Priority) Index() int { return int(High - min(max(p, Low), High)) }

// Weight is p's share of the turns, beside the weights of the others that are wanted: 8, 4 or 1.
func (p Priority) Weight() int { return int(weights[p.Index()]) }

// String returns high, normal or low.
func (p Priority) String() string { return words[p.Index()] }

// MarshalText writes p as String does. It never fails.
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what Parse reads.
func (p *Priority) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}

// Counts are how many there are of each priority, by Index.
type Counts [Count]int

// From is how many there are of p and of those that are more urgent.
func (c Counts) From(p Priority) int {
	n := 0
	for _, of := range c[:p.Index()+1] {
		n += of
	}
	return n
}

// Add adds others to them.
func (c *Counts) Add(others Counts) {
	for i, n := range others {
		c[i] += n
	}
}

// IsZero reports whether there are none but normal ones, so that JSON may leave them out.
func (c Counts) IsZero() bool { return c[High.Index()] == 0 && c[Low.Index()] == 0 }

// MarshalJSON writes an object with a number for each priority. It never fails.
func (c Counts) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"high":%d,"normal":%d,"low":%d}`, c[0], c[1], c[2]), nil
}
