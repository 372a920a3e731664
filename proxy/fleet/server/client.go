package server

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// dialTimeout bounds a connection attempt, TLS included. It is longer than a call waits:
	// a connection that comes late is there for the next call.
	dialTimeout = 250 * time.Millisecond
	// callTimeout bounds a call whose context has no earlier deadline.
	callTimeout = time.Second
	// poolSize is how many connections there are at most, per node of a cluster. Few are
	// needed: calls are short, and many sidecars share the server.
	poolSize = 8
	// bufferSize is that of a connection's buffers, in bytes. go-redis's own are 32 KiB, and
	// the fleet's messages are short.
	bufferSize = 4 << 10
)

// Client returns a client of the server, which must come from Parse. It connects with the
// first call and blocks for none before. The caller closes it. Scripts run by
// goredis.Script's Run, which falls back to EVAL after NOSCRIPT. Safe for concurrent use.
func (s Server) Client() goredis.UniversalClient {
	silence()
	options := *s.options
	if options.TLSConfig != nil {
		options.Dialer, options.TLSConfig = dialTLS(options.TLSConfig), nil
	}
	options.Protocol = 2
	options.ContextTimeoutEnabled = true // without it, go-redis ignores the deadlines of contexts
	options.DialTimeout = dialTimeout
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = callTimeout, callTimeout, callTimeout
	options.PoolSize = poolSize
	options.PipelinePoolSize = -1
	options.ReadBufferSize, options.WriteBufferSize = bufferSize, bufferSize
	options.MaxRetries, options.DialerRetries = -1, 1
	options.MinRetryBackoff, options.MaxRetryBackoff = -1, -1
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if s.cluster {
		return newCluster(&options)
	}
	return goredis.NewUniversalClient(&options)
}

// silence keeps go-redis from writing to standard error about connections: the errors here
// say what is wrong. Its logger is one for the process.
var silence = sync.OnceFunc(func() { goredis.SetLogger(quiet{}) })

type quiet struct{}

// Printf prints nothing.
func (quiet) Printf(context.Context, string, ...any) {}
