package store

import (
	"context"

	"github.com/redis/go-redis/v9"
)

func tryRedis(ctx context.Context, server Server) error {
	options, err := redisOptions(server)
	if err != nil {
		return err
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	return client.Ping(ctx).Err()
}
