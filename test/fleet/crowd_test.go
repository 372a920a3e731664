package fleet

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// crowd is how many sidecars join and leave at once.
func crowd(t *testing.T) int {
	t.Helper()
	text := os.Getenv("OUTRIGGER_TEST_FLEET")
	if text == "" {
		return 30
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("OUTRIGGER_TEST_FLEET=%s is no number of sidecars", text)
	}
	return n
}

// TestMembers_ManyJoinAndLeaveAtOnce has one sidecar with work without end, and many that
// come at once, make two calls each, and go at once.
func TestMembers_ManyJoinAndLeaveAtOnce(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			n := crowd(t)
			g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}})
			stays := g.sidecars[0]
			load := g.busy("busy", 80)
			wait(g.ctx, settled)
			environment := []string{}
			if mode == "" {
				environment = append(environment, "OUTRIGGER_REDIS_URL=redis://"+g.redis.addr)
			}
			joined := g.join(n, environment...)
			came := time.Now()
			two := make([]int, 1+n)
			for i := 1; i <= n; i++ {
				two[i] = 2
			}
			answers := g.send(queues(call{label: "joined"}, two...))
			succeed(t, answers)
			t.Logf("all know each other after %v", g.together(t, 1+n, 5*time.Second).Round(time.Millisecond))
			share := fair(rate, append(two[1:], 80)...)[0]
			g.most("the time of their calls as a share of the fair one", last(answers, came, -1).Seconds()/share.Seconds(), 2)

			for _, s := range joined {
				s.Signal(t, signal)
			}
			left := time.Now()
			g.sidecars = []*sidecar{stays}
			for _, s := range joined {
				if status := s.Wait(t); signal == syscall.SIGTERM && status != 0 {
					t.Errorf("one ended with status %d", status)
				}
			}
			t.Logf("it knows that it is alone after %v", g.together(t, 1, 10*time.Second).Round(time.Millisecond))
			wait(g.ctx, 6*time.Second-time.Since(left))
			succeed(t, load.stop())
			hits := g.seen("")
			t.Logf("served in each second from when they came: %s, from when they left: %s", hits.line(came, 10), hits.line(left, 6))
			g.least("the rate as a share of the limit from 2 s after they left on", hits.rate(left.Add(2*time.Second), left.Add(6*time.Second))/rate, 0.95)
			g.most("refused in %", hits.between(came, left.Add(6*time.Second)).refusedShare(), 5)
		})
	}
}
