package server

import (
	"context"
	"errors"
	"net"

	goredis "github.com/redis/go-redis/v9"
)

// newCluster returns a client of a cluster. go-redis's follows MOVED and ASK, as it must, and
// in the same loop sends again what failed in any other way, whatever MaxRetries says. So the
// clients of nodes seal the errors after which a command may have been carried out: the loop
// does not know them, and ends. The client of the cluster opens them again, and has go-redis
// look which nodes there are now: else it keeps to a node that is gone.
func newCluster(options *goredis.UniversalOptions) goredis.UniversalClient {
	o := options.Cluster()
	o.DisableRoutingPolicies = true // they want COMMAND, which a user may not be allowed
	client := goredis.NewClusterClient(o)
	client.OnNewNode(func(node *goredis.Client) { node.AddHook(hook{change: seal}) })
	client.AddHook(hook{change: func(err error) error {
		unsealed, ok := errors.AsType[sealed](err)
		if !ok {
			return err
		}
		client.ReloadState(context.Background()) // in a goroutine of its own
		return unsealed.err
	}})
	return client
}

// sealed is an error that no part of go-redis recognizes.
type sealed struct{ err error }

// Error returns the text of the error within.
func (s sealed) Error() string { return s.err.Error() }

// seal returns err so that it is not retried, if the server did not say it.
func seal(err error) error {
	if err == nil {
		return nil
	}
	if _, replied := errors.AsType[goredis.Error](err); replied {
		return err
	}
	return sealed{err}
}

// hook changes the errors of commands.
type hook struct{ change func(error) error }

// DialHook leaves connecting as it is.
func (hook) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook changes the error of a command, also the one that the command itself has.
func (h hook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, command goredis.Cmder) error {
		err := h.change(next(ctx, command))
		command.SetErr(err)
		return err
	}
}

// ProcessPipelineHook does the same for each command of a pipeline, such as ASKING and what
// follows it.
func (h hook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, commands []goredis.Cmder) error {
		err := h.change(next(ctx, commands))
		for _, command := range commands {
			if failed := command.Err(); failed != nil {
				command.SetErr(h.change(failed))
			}
		}
		return err
	}
}
