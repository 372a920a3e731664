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
	// timeout bounds each exchange with Redis, connecting included. The first calls wait
	// this long when Redis goes down. A shorter one would mark Redis as down in a
	// container that is throttled, for 100 ms at a time.
	timeout = 400 * time.Millisecond
	// rate is how fast answers are transferred at least, in bytes per second: it
	// lengthens the timeout for large ones.
	rate = 16 << 20
	// leaseTime is how long a claim outlives its owner. It is renewed three times as
	// often, so that no claim is lost while Redis stalls for ten seconds.
	leaseTime = 30 * time.Second
	poolSize  = 64
	keyPrefix = "outrigger:idempotency:"
)

// Server is a Redis and how to reach it.
type Server struct {
	URL  values.Secret // redis:// or rediss://, with user, password and database
	Name string        // the URL without those, such as redis://host:6379
}

// Open returns the store of a Redis. It does not wait for Redis: calls that come before the
// first connection wait for it, at most timeout.
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
		server: server, limits: limits, client: client, log: log, room: room, lease: lease, grace: grace, held: make(map[claims.Token]*claimed),
		closing: ctx, end: cancel, health: health{wake: make(chan struct{}, 1), ready: make(chan struct{})},
	}
	s.background.Go(s.maintain)
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
		// run knows what may be sent again.
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

// silence keeps go-redis from writing to standard error about connections: the errors here
// say what is wrong. Its logger is one for the process.
var silence = sync.OnceFunc(func() { goredis.SetLogger(quiet{}) })

type quiet struct{}

// Printf prints nothing.
func (quiet) Printf(context.Context, string, ...any) {}

// classify returns what an error of an exchange means: ErrFull if Redis has no room, else an
// ErrUnavailable. A reply of Redis that means neither is due to its setup, such as a wrong
// password.
func (s *Store) classify(err error) error {
	for _, full := range []string{"OOM ", "MISCONF "} {
		if _, reply := errors.AsType[goredis.Error](err); reply && strings.Contains(err.Error(), full) {
			return fmt.Errorf("%w: %s: %w", claims.ErrFull, s.server.Name, err)
		}
	}
	return fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, s.server.Name, err)
}
