package redis

import (
	"context"
	"log/slog"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// redisAdvice asks a Redis how it is set, and says what is wrong with that, or "". It
// says nothing of one that does not answer or does not tell.
func Advice(ctx context.Context, server Server) string {
	options, err := clientOptions(server)
	if err != nil {
		return ""
	}
	client := goredis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	text, err := client.Info(ctx).Result()
	if err != nil {
		return ""
	}
	if told := parseInfo(text).evicts(); told != "" {
		return server.Name + ": " + told
	}
	return ""
}

// meet says what is wrong with a Redis that was not met before.
func (s *Store) meet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	text, err := s.client.Info(ctx).Result()
	if err != nil {
		return // it does not tell
	}
	info := parseInfo(text)
	if info["run_id"] == s.met {
		return
	}
	s.met = info["run_id"]
	if told := info.evicts(); told != "" {
		s.log.Warn(told, slog.String("store", s.server.Name))
	}
}

// redisInfo is what Redis's INFO says.
type serverInfo map[string]string

func parseInfo(text string) serverInfo {
	info := make(serverInfo)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// evicts says what is wrong with a Redis that forgets instead of saying that it is
// full, or "". Keys that expire are evicted by the volatile policies, and all calls'
// keys do. Without a maxmemory, none evicts.
func (i serverInfo) evicts() string {
	policy := i["maxmemory_policy"]
	if policy == "" || policy == "noeviction" || i["maxmemory"] == "0" {
		return ""
	}
	return "this Redis forgets keys when it is full (maxmemory-policy " + policy +
		"): a create whose key it forgets can be done twice; set maxmemory-policy noeviction"
}
