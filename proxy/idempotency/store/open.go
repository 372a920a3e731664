package store

import (
	"context"
	"fmt"
	"log/slog"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file"
	"outrigger/proxy/idempotency/store/memory"
	"outrigger/proxy/idempotency/store/redis"
)

// Open opens the store that c names. The caller closes it. A file that cannot be used
// is an error that names it; a Redis that does not answer is none: see the package's doc.
// Log is told what is found out later: that a Redis lost what it knew, or may forget.
// Room is where memory for what is read comes from.
func Open(c Config, log *slog.Logger, room claims.Room) (claims.Store, error) {
	switch {
	case c.InMemory():
		return memory.New(c.limits(), room), nil
	case c.Spec.path != "":
		return file.Open(c.Spec.path, c.limits(), room)
	case c.Spec.Remote():
		return redis.Open(c.Spec.server(), c.limits(), log, room)
	}
	return nil, fmt.Errorf("%w: %s", claims.ErrSpec, c.Spec)
}

func (s Spec) server() redis.Server { return redis.Server{URL: s.redis, Name: s.shown} }

// Advice asks a Redis that c names how it is set, and says what is wrong with that, or
// "". It says nothing of one that does not answer or does not tell, nor of other stores.
func Advice(ctx context.Context, c Config) string {
	if !c.Spec.Remote() {
		return ""
	}
	return redis.Advice(ctx, c.Spec.server())
}
