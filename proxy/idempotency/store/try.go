package store

import (
	"context"
	"errors"
	"fmt"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file"
	"outrigger/proxy/idempotency/store/redis"
)

// Try reports why the store that c names could not be used now, nil if it could. It changes
// nothing. InUse recognizes the error of a file that a running process has.
func Try(ctx context.Context, c Config) error {
	var err error
	switch {
	case c.Spec.path != "":
		err = file.Try(c.Spec.path)
	case c.Spec.Remote():
		err = redis.Try(ctx, c.Spec.server())
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, c.Spec, err)
	}
	return nil
}

// InUse reports whether err, of Try or Open, is about a file that another process has.
func InUse(err error) bool { return errors.Is(err, file.ErrInUse) }

// Remote reports whether the store is a Redis: it may be away and come back.
func (s Spec) Remote() bool { return !s.redis.IsZero() }
