package limiter

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
	"outrigger/test/chance"
)

var writeReach = flag.Bool("reach", false, "write testdata/reach.txt from what is reached")

const reachFile = "testdata/reach.txt"

// What is written is the worst of measured times, of randomly times where waits are random,
// each with few, some and more threads. The order in which goroutines run is not the
// bubble's, and a request whose refusal is not believed comes back after a random wait:
// now and then one is worse. So overs of a hundred cells may be over their bounds, by no
// more than spread. Then chance does not decide, and a limiter that became slower shows.
const (
	measured = 6
	randomly = 15
	overs    = 10
	spread   = 1.15
)

// threads is how many run at once in the nth measurement.
func threads(n int) int { return []int{1, 2, 4}[n%3] }

// enforced is one way to hold a limit, a burst, and the least time that it needs.
type enforced struct {
	name   string
	limit  meter.Limit
	calls  int
	phases []time.Duration
	best   func(phase time.Duration) time.Duration
}

// after returns the time from phase to the nth share's begin; the first is running.
func after(n int, each time.Duration) func(time.Duration) time.Duration {
	return func(phase time.Duration) time.Duration {
		return phase.Truncate(each) + time.Duration(n-1)*each - phase
	}
}

func always(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

var enforcements = []enforced{
	{"refill, bucket of 1 s", meter.Limit{RPM: 1200, Burst: time.Second}, 400, []time.Duration{0}, always(19 * time.Second)},
	{"refill, bucket of 5 s", meter.Limit{RPM: 1200, Burst: 5 * time.Second}, 400, []time.Duration{0}, always(15 * time.Second)},
	{"shares of 1 s", meter.Limit{RPM: 1200, Enforce: meter.Quanta}, 400, []time.Duration{130 * time.Millisecond, 700 * time.Millisecond}, after(20, time.Second)},
	{"shares of 10 s", meter.Limit{RPM: 1200, Enforce: meter.Quanta, Quantum: 10 * time.Second}, 1000, []time.Duration{1300 * time.Millisecond, 7 * time.Second}, after(5, 10*time.Second)},
	{"minutes of the clock", meter.Limit{RPM: 300, Enforce: meter.Window}, 400, []time.Duration{20130 * time.Millisecond, 45 * time.Second}, after(2, time.Minute)},
}

// TestHowNearABurstComesToWhatTheLimitPermits sends hundreds of requests at once, with
// nothing configured, to upstreams that hold their limits in different ways and say more or
// less of them. What is reached is held in testdata/reach.txt: the worst time, as a
// share of the least that a client needs that knows all, and the most that is refused.
// After a change that does better, write it anew with -reach. Where refusals count, only
// the far upstream is tried, and where they do not, the near one; make soak tries both.
func TestHowNearABurstComesToWhatTheLimitPermits(t *testing.T) {
	holds := readReach(t)
	var reached strings.Builder
	cells, over := 0, 0
	for _, tell := range tellings {
		for _, enforce := range enforcements {
			for i, network := range []memnet.Latency{near, far} {
				for _, counts := range []bool{false, true} {
					if counts != (network == far) && !*writeReach && !chance.Long() {
						continue
					}
					name := fmt.Sprint(tell, " | ", enforce.name, []string{"", ", counting"}[btoi(counts)], " | ", []string{"near", "far"}[i])
					var worst reach
					t.Run(name, func(t *testing.T) {
						limit := enforce.limit
						limit.CountRefusals = counts
						most, ok := holds[name]
						if !ok && !*writeReach {
							t.Errorf("%s says nothing of this", reachFile)
						}
						if *writeReach {
							worst = enforce.worst(t, tell, limit, network)
							return
						}
						got := enforce.reach(t, tell, limit, network)
						if cells++; got.ratio > most.ratio || got.refused > most.refused {
							over++
							t.Logf("over its bound: %.3f of %.3f, %v of %v refused", got.ratio, most.ratio, got.refused, most.refused)
						}
						hold(t, "the time as a share of the least", got.ratio, spread*most.ratio)
						hold(t, "refused", got.refused, 2*most.refused)
					})
					fmt.Fprintf(&reached, "%s | %.2f | %d\n", name, math.Ceil(worst.ratio*100*(1+spare(tell)))/100, int(worst.refused+max(3, worst.refused/5)))
				}
			}
		}
	}
	hold(t, "the cells that are over their bounds, of a hundred", 100*float64(over)/float64(max(1, cells)), overs)
	if *writeReach {
		if err := os.WriteFile(reachFile, []byte(reached.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// worst is the worst of many measurements.
func (e enforced) worst(t *testing.T, tell telling, limit meter.Limit, network memnet.Latency) reach {
	n := measured
	if tell.random() {
		n = randomly
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var worst reach
	for i := range n {
		runtime.GOMAXPROCS(threads(i))
		got := e.reach(t, tell, limit, network)
		worst = reach{max(worst.ratio, got.ratio), max(worst.refused, got.refused)}
	}
	return worst
}

// spare is the part by which a time may be over the worst that was measured.
func spare(tell telling) float64 {
	if tell.random() {
		return 0.03
	}
	return 0.02
}

// reach sends the burst at each phase, and returns the worst that it reached.
func (e enforced) reach(t *testing.T, tell telling, limit meter.Limit, network memnet.Latency) reach {
	var worst reach
	for _, phase := range e.phases {
		config := sim.Config{Latency: thought, Limits: []meter.Limit{limit}}
		if tell == text {
			config.Style = sim.NoHeaders
		}
		bubbleBehind(t, config, network, phase, tell.of, func(g *rig) {
			o := g.send("", burst(e.calls))
			if o.ok != e.calls {
				g.t.Errorf("%d of %d succeeded", o.ok, e.calls)
			}
			best := e.best(phase) + thought + 4*network.OneWay
			worst.ratio = max(worst.ratio, o.makespan.Seconds()/best.Seconds())
			worst.refused = max(worst.refused, float64(len(o.refused)))
		})
	}
	return worst
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// reach is what a burst may need: the time as a share of the least, and refusals.
type reach struct{ ratio, refused float64 }

func readReach(t *testing.T) map[string]reach {
	t.Helper()
	all := map[string]reach{}
	f, err := os.Open(reachFile)
	if err != nil {
		t.Log(err)
		return all
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, figures := lines.Text(), ""
		for range 2 {
			i := strings.LastIndex(name, " | ")
			if i < 0 {
				t.Fatalf("%s: %q", reachFile, lines.Text())
			}
			name, figures = name[:i], strings.ReplaceAll(name[i:], "|", "")+figures
		}
		var r reach
		if _, err := fmt.Sscan(figures, &r.ratio, &r.refused); err != nil {
			t.Fatalf("%s: %q: %v", reachFile, lines.Text(), err)
		}
		all[name] = r
	}
	return all
}
