package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// Try reports why a Redis could not be used now, nil if it answers.
func Try(ctx context.Context, server Server) error {
	options, err := clientOptions(server)
	if err != nil {
		return err
	}
	client := goredis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return client.Ping(ctx).Err()
}
