package redis

import (
	"context"
	"log/slog"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Advice asks a Redis for its settings, and returns what is wrong with them, or "". It
// returns "" for a Redis that does not answer or does not tell.
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
	if told := parseInfo(text).evictionWarning(); told != "" {
		return server.Name + ": " + told
	}
	return ""
}

// checkEviction logs a warning about a Redis that evicts keys, once per run of Redis.
func (s *Store) checkEviction(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	text, err := s.client.Info(ctx).Result()
	if err != nil {
		return // INFO is not permitted
	}
	info := parseInfo(text)
	if info["run_id"] == s.checkedRun {
		return
	}
	s.checkedRun = info["run_id"]
	if told := info.evictionWarning(); told != "" {
		s.log.Warn("this Redis may forget creates, which then can run twice", slog.String("store", s.server.Name), slog.String("problem", told))
	}
}

// serverInfo is the text of Redis's INFO command.
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

// evictionWarning returns what is wrong with a Redis that evicts keys instead of reporting
// that it is full, or "". The volatile policies evict keys that expire, as all calls' keys
// do. Without maxmemory, Redis evicts nothing.
func (i serverInfo) evictionWarning() string {
	policy := i["maxmemory_policy"]
	if policy == "" || policy == "noeviction" || i["maxmemory"] == "0" {
		return ""
	}
	return "this Redis forgets keys when it is full (maxmemory-policy " + policy +
		"): a create whose key it forgets can be done twice; set maxmemory-policy noeviction"
}
