package bench

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"outrigger/test/bench/traffic"
)

const questionSize = 1500 // bytes of prompt, a common size

// The streams of the benchmarks.
var (
	short = traffic.Run{Events: 50, Pace: 2 * time.Millisecond}
	long  = traffic.Run{Events: 1000, Pace: time.Millisecond}
	open  = traffic.Run{Events: 2}
)

var (
	question = traffic.Question(questionSize)
	answer   = traffic.Answer
)

// The events of a stream.
const (
	chunk = traffic.Chunk
	last  = traffic.Last
)

// newUpstream starts the upstream and returns its URL and what releases open streams.
func newUpstream(tb testing.TB) (string, context.CancelFunc) {
	tb.Helper()
	held, release := context.WithCancel(context.Background())
	server := httptest.NewServer(traffic.Upstream(held))
	tb.Cleanup(server.Close)
	tb.Cleanup(release) // runs first: Close waits for the handlers
	return server.URL, release
}
