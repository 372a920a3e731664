package settings

import "outrigger/internal/values"

// storeShare is the part of OUTRIGGER_MEMORY_MAX that stored answers take at most where they
// are kept in memory: a quarter of it.
const storeShare = 4

// StoreBytes is how much is kept of idempotent answers: OUTRIGGER_IDEMPOTENCY_BYTES, and of
// the store in memory a part of OUTRIGGER_MEMORY_MAX at most.
func (c Config) StoreBytes() values.Bytes {
	if !c.Store.InMemory() {
		return c.Store.Bytes
	}
	return min(c.Store.Bytes, c.Bodies.MemoryMax/storeShare)
}

// Reserve takes the memory of stored answers out of what there is for bodies.
func (c *Config) Reserve() {
	if c.Store.InMemory() {
		c.Bodies.MemoryMax -= c.Store.Bytes
	}
}
