package settings

import "outrigger/internal/values"

// Fleet says with whom limits are shared. The zero value shares them with nobody.
type Fleet struct {
	// URL is the Redis or Valkey over which sidecars share limits, pauses and cached refusals,
	// in a form that package fleet/server reads. It may hold passwords. Without it nothing is
	// shared.
	URL values.Secret `env:"REDIS_URL" secret:"true" doc:"the Redis or Valkey over which sidecars share limits, pauses and cached refusals: redis://user:password@host:port, rediss:// for TLS, redis+sentinel://host,host/master, redis+cluster://host,host" restart:"true"`
	// Fail says what happens while that server cannot be used.
	Fail FleetFail `env:"FLEET_FAIL" envDefault:"open" oneof:"open,closed" doc:"while that server cannot be used: open keeps this sidecar to its share of each limit, closed has requests wait" restart:"true"`
}

// FleetFail says what a sidecar does while the server of its fleet cannot be used. The zero
// value means FleetFailOpen.
type FleetFail string

// The ways to fail.
const (
	// FleetFailOpen divides each limit by the sidecars that were last seen.
	FleetFailOpen FleetFail = "open"
	// FleetFailClosed has requests wait until the server is back, or their time is over.
	FleetFailClosed FleetFail = "closed"
)

// Shared reports whether there is a fleet.
func (f Fleet) Shared() bool { return !f.URL.IsZero() }
