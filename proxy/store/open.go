package store

import (
	"context"
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
		return newMemory(c.limits(), room), nil
	case c.Spec.path != "":
		return openFile(c.Spec.path, c.limits(), room)
	case c.Spec.Remote():
		return openRedis(c.Spec.server(), c.limits(), log, room)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, c.Spec)
}

func (s Spec) server() Server { return Server{URL: s.redis, Name: s.shown} }

// Advice asks a Redis that c names how it is set, and says what is wrong with that, or
// "". It says nothing of one that does not answer or does not tell, nor of other stores.
func Advice(ctx context.Context, c Config) string {
	if !c.Spec.Remote() {
		return ""
	}
	return redisAdvice(ctx, c.Spec.server())
}
