package limiter

import (
	"strings"
	"sync"
)

// journal keeps the lines that the proxy logs about limiters that share an account.
// Safe for concurrent use.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// Write takes one line, as slog writes it.
func (j *journal) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "account") {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lines = append(j.lines, string(b))
	}
	return len(b), nil
}

// all returns the lines so far.
func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}
