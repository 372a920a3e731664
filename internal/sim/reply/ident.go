package reply

import (
	"sync/atomic"

	"outrigger/internal/sim/fault"
)

// IDs makes ids: unique within a simulator, and the same ones for the same seed. It is
// safe for concurrent use.
type IDs struct {
	Seed uint64 // set before the first Next
	last atomic.Uint64
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Next returns prefix followed by 24 letters and digits, as OpenAI's ids have.
func (i *IDs) Next(prefix string) string {
	n := i.last.Add(1)
	b := make([]byte, 0, len(prefix)+24)
	b = append(b, prefix...)
	for part := range uint64(3) {
		x := fault.Mix(fault.Mix(i.Seed^part) + n) // part 0 is a bijection of n: no two alike
		for range 8 {
			b = append(b, base62[x%62])
			x /= 62
		}
	}
	return string(b)
}
