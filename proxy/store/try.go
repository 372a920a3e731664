package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/redis/go-redis/v9"
)

// Try reports why the store that c names could not be used now, nil if it could. It
// makes and changes nothing. InUse tells a file that a running process has.
func Try(ctx context.Context, c Config) error {
	var err error
	switch {
	case c.Spec.path != "":
		err = tryFile(c.Spec.path)
	case c.Spec.Remote():
		err = tryRedis(ctx, c.Spec)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, c.Spec, err)
	}
	return nil
}

// InUse reports whether err, of Try or Open, is about a file that another process has.
func InUse(err error) bool { return errors.Is(err, errInUse) }

// Remote reports whether the store is a Redis: it may be away and come back.
func (s Spec) Remote() bool { return !s.redis.IsZero() }

func tryFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
		if err != nil {
			return fmt.Errorf("making it: %w", reason(err))
		}
		return errors.Join(made.Close(), os.Remove(made.Name()))
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	opened, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = opened.Close()
	_, err = verifyLocked(path)
	return err
}

func tryRedis(ctx context.Context, spec Spec) error {
	options, err := redisOptions(spec)
	if err != nil {
		return err
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	return client.Ping(ctx).Err()
}

// reason strips from an error of os the name of a file that was only for trying.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
