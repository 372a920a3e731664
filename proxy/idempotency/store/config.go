package store

import (
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/idempotency/claims"
)

// Config says where answers are kept, and bounds them. The zero value keeps none: the defaults
// are in the tags only.
type Config struct {
	// Spec names the store.
	Spec Spec `env:"STORE" envDefault:"memory" secret:"true" doc:"where idempotent answers are kept: memory, file:/path/file.db, or redis://host:port (rediss:// for TLS), which is shared" restart:"true"`
	// TTL is how long an answer is kept, and how long a create of unknown outcome keeps its
	// key.
	TTL time.Duration `env:"IDEMPOTENCY_TTL" envDefault:"24h" min:"1s" max:"8760h" doc:"how long an idempotent answer is kept" restart:"true"`
	// Bytes bounds all answers together, in memory or in the file; Redis has a bound of its
	// own. Each entry counts its answer and 1 KiB, a create without an answer 384 bytes. One
	// answer may take an eighth of Bytes.
	Bytes values.Bytes `env:"IDEMPOTENCY_BYTES" envDefault:"64MiB" min:"65536" max:"1099511627776" doc:"idempotent answers kept at most, in bytes; the least recently used of who has most go first, and one answer may take an eighth; in memory, a quarter of MEMORY_MAX at most" restart:"true"`
}

// Largest returns the Size of the largest answer that is stored, in bytes.
func (c Config) Largest() int64 { return c.limits().Largest() }

func (c Config) limits() claims.Limits { return claims.Limits{TTL: c.TTL, Bytes: int64(c.Bytes)} }

// InMemory reports whether answers are kept in the memory of this process.
func (c Config) InMemory() bool { return c.Spec == Spec{} }
