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

// Open opens the store that c names. The caller closes it. A file that cannot be used is an
// error that names it. A Redis that does not answer is none: see package redis. Log gets what
// is found out later: that a Redis lost its data, or evicts keys. Room bounds the memory of
// answers that are read.
func Open(c Config, log *slog.Logger, room claims.Room) (claims.Store, error) {
	switch {
	case c.InMemory():
		return memory.New(c.limits(), room), nil
	case c.Spec.path != "":
		return file.Open(c.Spec.path, c.limits(), room)
	case c.Spec.Remote():
		return redis.Open(c.Spec.server(), c.limits(), log, room)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, c.Spec)
}

func (s Spec) server() redis.Server { return redis.Server{URL: s.redis, Name: s.shown} }

// Advice asks the Redis that c names for its settings, and returns what is wrong with them, or
// "". It returns "" for a Redis that does not answer or does not tell, and for other stores.
func Advice(ctx context.Context, c Config) string {
	if !c.Spec.Remote() {
		return ""
	}
	return redis.Advice(ctx, c.Spec.server())
}
