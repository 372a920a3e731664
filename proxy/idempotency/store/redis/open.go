package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/idempotency/claims"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// redisTimeout bounds each exchange with Redis, connecting included. It is what the
	// first calls lose when Redis goes away; shorter, and a container that is throttled
	// (100 ms at a time) takes a Redis for away that is not.
	timeout = 400 * time.Millisecond
	// redisRate is how fast, in bytes per second, answers must at least pass: it
	// lengthens the timeout for large ones.
	rate = 16 << 20
	// redisLease is how long a claim outlives its owner. It is renewed three times as
	// often, so that a Redis that stands still for ten seconds costs nobody its claim.
	leaseTime = 30 * time.Second
	poolSize  = 64
	keyPrefix = "outrigger:idempotency:"
)

// Server is a Redis and how to reach it.
type Server struct {
	URL  values.Secret // redis:// or rediss://, with user, password and database
	Name string        // the URL without those, such as redis://host:6379
}

// openRedis returns the store of the Redis of c. It does not wait for Redis: what
// comes before the first connection waits for it, but no longer than redisTimeout.
func Open(server Server, limits claims.Limits, log *slog.Logger, room claims.Room) (*Store, error) {
	options, err := clientOptions(server)
	if err != nil {
		return nil, err
	}
	return newStore(server, limits, goredis.NewClient(options), log, room, leaseTime, graceTime), nil
}

func newStore(server Server, limits claims.Limits, client *goredis.Client, log *slog.Logger, room claims.Room, lease, grace time.Duration) *Store {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Store{
		server: server, limits: limits, client: client, log: log, room: room, lease: lease, grace: grace, flights: make(map[claims.Token]*claimed),
		life: ctx, end: cancel, health: health{failed: make(chan struct{}, 1), ready: make(chan struct{})},
	}
	s.tended.Go(s.tend)
	return s
}

func clientOptions(server Server) (*goredis.Options, error) {
	u, err := url.Parse(server.URL.Reveal())
	if err != nil { // cannot be, but the error would quote a password
		return nil, fmt.Errorf("%s: its URL cannot be read", server.Name)
	}
	silence()
	shown := strings.TrimPrefix(strings.TrimPrefix(server.Name, "rediss://"), "redis://")
	password, _ := u.User.Password()
	database, _ := strconv.Atoi(strings.TrimPrefix(u.Path, "/"))
	options := &goredis.Options{
		Addr:     shown,
		Username: u.User.Username(),
		Password: password,
		DB:       database,
		Protocol: 2,
		// Without this, go-redis ignores the deadlines of contexts.
		ContextTimeoutEnabled: true,
		DialTimeout:           timeout,
		ReadTimeout:           time.Minute, // the context's deadline is earlier
		WriteTimeout:          time.Minute,
		PoolTimeout:           timeout,
		PoolSize:              poolSize,
		// It is known here what may be sent again.
		MaxRetries:               -1,
		DialerRetries:            1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if u.Scheme == "rediss" {
		options.TLSConfig = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	}
	return options, nil
}

// silence keeps go-redis from writing to standard error about connections: what goes
// wrong with them is in the errors here. Its logger is one for the process.
var silence = sync.OnceFunc(func() { goredis.SetLogger(quiet{}) })

type quiet struct{}

// Printf prints nothing.
func (quiet) Printf(context.Context, string, ...any) {}

// fault is what an error of an exchange means: ErrFull if Redis has no room, else an
// ErrUnavailable. A reply of its own that says neither has to do with how it is set up,
// such as a wrong password.
func (s *Store) fault(err error) error {
	for _, full := range []string{"OOM ", "MISCONF "} {
		if _, reply := errors.AsType[goredis.Error](err); reply && strings.Contains(err.Error(), full) {
			return fmt.Errorf("%w: %s: %w", claims.ErrFull, s.server.Name, err)
		}
	}
	return fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, s.server.Name, err)
}
