package fleet

import (
	"context"
	"net"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// reachable returns a client of a server that is in order, as server.Check looks at it.
func reachable() *goredis.Client {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", DisableIdentity: true, MaxRetries: -1})
	client.AddHook(inOrder{})
	return client
}

// inOrder answers without a server.
type inOrder struct{}

func (inOrder) DialHook(goredis.DialHook) goredis.DialHook {
	return func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
}

func (inOrder) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

func (inOrder) ProcessHook(goredis.ProcessHook) goredis.ProcessHook {
	return func(_ context.Context, cmd goredis.Cmder) error {
		time.Sleep(time.Millisecond)
		switch cmd := cmd.(type) {
		case *goredis.StringCmd:
			cmd.SetVal("redis_version:7.0.0\r\nrole:master\r\n")
		case *goredis.Cmd:
			cmd.SetVal("1")
		}
		return nil
	}
}
