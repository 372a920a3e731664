package sim

import (
	"encoding/binary"
	"encoding/hex"
	"sync/atomic"

	"outrigger/internal/sim/fault"
)

// idents makes ids: unique within a simulator, and the same ones for the same seed.
type idents struct {
	seed uint64
	last atomic.Uint64
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// next returns prefix followed by 24 letters and digits, as OpenAI's ids have.
func (i *idents) next(prefix string) string {
	n := i.last.Add(1)
	b := make([]byte, 0, len(prefix)+24)
	b = append(b, prefix...)
	for part := range uint64(3) {
		x := fault.Mix(fault.Mix(i.seed^part) + n) // part 0 is a bijection of n: no two alike
		for range 8 {
			b = append(b, base62[x%62])
			x /= 62
		}
	}
	return string(b)
}

// requestID is what x-request-id tells: "req_" and 32 hex digits.
func (c *call) requestID() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], fault.Mix(c.sim.cfg.Seed+c.entry.ID))
	binary.BigEndian.PutUint64(raw[8:], fault.Mix(^c.sim.cfg.Seed+c.entry.ID))
	return "req_" + hex.EncodeToString(raw[:])
}
