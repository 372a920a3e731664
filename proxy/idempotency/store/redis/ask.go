package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"outrigger/proxy/idempotency/claims"

	goredis "github.com/redis/go-redis/v9"
)

// ask runs a script on a call, and returns its reply. It waits no longer than
// timeout, and that whatever becomes of ctx: what was sent may have been done. An
// error is a fault, and if it is an ErrUnavailable, nothing more is asked until Redis
// is found well again.
func (s *Store) ask(ctx context.Context, script *goredis.Script, keys []string, timeout time.Duration, args ...any) ([]string, error) {
	reply, err := s.run(ctx, script, keys, timeout, args...)
	if err != nil {
		return nil, s.failed(err)
	}
	return reply, nil
}

// failed is fault that also takes note.
func (s *Store) failed(err error) error {
	err = s.fault(err)
	if errors.Is(err, claims.ErrUnavailable) {
		s.health.fail(err)
	}
	return err
}

// run is ask without conclusions. What fails at once, such as a connection that was
// closed since it was last used, is sent once more.
func (s *Store) run(ctx context.Context, script *goredis.Script, keys []string, timeout time.Duration, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var lastErr error
	for range 3 {
		reply, err := s.send(ctx, script, keys, args)
		switch {
		case err == nil && reply[0] == "late": // its clock was set: send has learned that
			lastErr = errors.New("its clock runs ahead")
			continue
		case err == nil:
			return reply, nil
		}
		lastErr = err
		if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() || ctx.Err() != nil {
			break
		}
		if _, replied := errors.AsType[goredis.Error](err); replied {
			break
		}
	}
	return nil, lastErr
}

// send runs a script once.
func (s *Store) send(ctx context.Context, script *goredis.Script, keys []string, args []any) ([]string, error) {
	deadline, _ := ctx.Deadline()
	late := s.health.onRedis(deadline)
	result, err := script.Run(ctx, s.client, keys, append([]any{late}, args...)...).Slice()
	if err != nil {
		return nil, err
	}
	reply := make([]string, 0, 4)
	for _, part := range result {
		text, _ := part.(string)
		reply = append(reply, text)
	}
	if len(reply) < 2 || len(reply[1]) == 0 {
		return nil, fmt.Errorf("a reply of %d parts", len(result))
	}
	us, err := strconv.ParseInt(reply[1], 10, 64)
	if err != nil {
		return nil, err
	}
	s.health.learn(us)
	return reply, nil
}
