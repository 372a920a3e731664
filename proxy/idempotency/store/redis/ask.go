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

// ask runs a script for one call, and returns its reply. It waits at most timeout, even when
// ctx ends earlier: what was sent may have been carried out. An error is as from classify;
// after an ErrUnavailable nothing is sent until Redis is up again.
func (s *Store) ask(ctx context.Context, script *goredis.Script, keys []string, timeout time.Duration, args ...any) ([]string, error) {
	reply, err := s.run(ctx, script, keys, timeout, args...)
	if err != nil {
		return nil, s.noteError(err)
	}
	return reply, nil
}

// noteError is classify that also marks Redis as down where it is.
func (s *Store) noteError(err error) error {
	err = s.classify(err)
	if errors.Is(err, claims.ErrUnavailable) {
		s.health.markDown(err)
	}
	return err
}

// run is ask without a verdict on Redis. What fails at once, such as a connection that was
// closed since its last use, is sent again.
func (s *Store) run(ctx context.Context, script *goredis.Script, keys []string, timeout time.Duration, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var lastErr error
	for range 3 {
		reply, err := s.send(ctx, script, keys, args)
		switch {
		case err == nil && reply[0] == "late": // its clock was set; send has noted that
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
	late := s.health.redisDeadline(deadline)
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
	s.health.setClock(us)
	return reply, nil
}
