package store

import (
	"fmt"
	"log/slog"
)

// Open opens the store that c names. The caller closes it. A file that cannot be used
// is an error that names it; a Redis that does not answer is none: see the package's doc.
// Log is told what is found out later: that a Redis lost what it knew, or may forget.
// Room is where memory for what is read comes from.
func Open(c Config, log *slog.Logger, room Room) (Store, error) {
	switch {
	case c.InMemory():
		m := newMemory(c)
		m.room = room
		return m, nil
	case c.Spec.path != "":
		return openFile(c, room)
	case !c.Spec.redis.IsZero():
		return openRedis(c, log, room)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, c.Spec)
}
