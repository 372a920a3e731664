package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/test/chance"
	"outrigger/test/chaos/relay"
	"outrigger/test/redisserver"
)

// usual is what a walk is unless OUTRIGGER_TEST_CHAOS (a duration), OUTRIGGER_TEST_RATE and
// OUTRIGGER_TEST_STORE say otherwise.
const (
	usualTime = 20 * time.Second
	usualRate = 60
)

// wanted returns how long a walk lasts, and its calls per second.
func wanted(t *testing.T) (time.Duration, int) {
	t.Helper()
	long, err := time.ParseDuration(cmp.Or(os.Getenv("OUTRIGGER_TEST_CHAOS"), os.Getenv("OUTRIGGER_TEST_LONG"), usualTime.String()))
	rate, bad := strconv.Atoi(cmp.Or(os.Getenv("OUTRIGGER_TEST_RATE"), strconv.Itoa(usualRate)))
	if err != nil || bad != nil || long < time.Second || rate < 1 {
		t.Fatalf("OUTRIGGER_TEST_CHAOS and OUTRIGGER_TEST_RATE: %v, %v, want a duration and calls per second", err, bad)
	}
	return long, rate
}

// stores are those that walks are made with: all, or the one that is asked for.
func stores() []string {
	if one := os.Getenv("OUTRIGGER_TEST_STORE"); one != "" {
		return []string{one}
	}
	if os.Getenv("OUTRIGGER_TEST_CHAOS") != "" {
		return []string{"memory"} // one long walk
	}
	return []string{"memory", "file", "redis"}
}

func TestNothingIsLostOrDoubledOnABadNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	for n, store := range stores() {
		t.Run(store, func(t *testing.T) {
			seed := chance.Seed(t) + uint64(n)
			up := newWitness(seed)
			defer up.close()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			up.listen(l)
			var both relays
			for i := range both.ways {
				if both.ways[i], err = relay.Listen("127.0.0.1:0", l.Addr().String(), seed+uint64(i)); err != nil {
					t.Fatal(err)
				}
				defer both.ways[i].Close()
			}
			walk(t, seed, store, up, &both)
		})
	}
}

// walk sends load through changing weather and changing settings, and judges all that came of it.
func walk(t *testing.T, seed uint64, store string, up *witness, net network) {
	t.Helper()
	long, rate := wanted(t)
	random := rand.New(rand.NewPCG(seed, 0))
	switch store {
	case "file":
		store = "file:" + t.TempDir() + "/answers.db"
	case "redis":
		store = "redis://" + redisserver.Start(t).Addr
	}
	o := start(t, settings(random, net.addresses()), fixed(random, store)...)
	s := newStorm(t, o.base, seed, up)
	defer s.quiet()

	begun := time.Now()
	s.calmly(rate, 3*time.Second) // connections, and what is made once
	before := o.rest(s)
	figures := &figures{o: o, s: s, net: net, begun: begun}
	stop, all := make(chan struct{}), sync.WaitGroup{}
	all.Go(func() { o.watch(&figures.least, stop) })
	alive := figures.aliveUnder(func() { s.calmly(rate, 3*time.Second) })
	for left, n := long, 1; left > 0; left, n = left-figureTime, n+1 {
		part := min(left, figureTime)
		blown, over := sync.WaitGroup{}, make(chan struct{})
		blown.Go(func() { s.blow(rate, over) })
		o.stroll(random, net, s, part)
		close(over)
		blown.Wait()
		figures.log()
		if n%restEvery == 0 {
			net.calm()
			o.rest(s)
			o.freed(before)
		}
	}
	net.calm()
	s.running.Wait()
	o.until("calls succeed when the network is well again", func() bool {
		r := draw(random, chat, fmt.Sprintf("calm-%d", s.count.Add(1)))
		return r.make(s.clients[0], s.base, 0).status == 200
	})
	after := figures.aliveUnder(func() { s.calmly(rate, 3*time.Second) })
	close(stop)
	all.Wait()
	o.rest(s)
	o.freed(before)
	s.judge(true)
	figures.log()
	figures.judge(alive, after)
}

// stroll changes the weather about once a second, and the settings now and then.
func (o *outrigger) stroll(random *rand.Rand, net network, s *storm, long time.Duration) {
	o.t.Helper()
	for end, n := time.Now().Add(long), 0; time.Now().Before(end); n++ {
		net.change(random)
		if n%4 == 3 {
			o.reload(settings(random, net.addresses()))
		}
		time.Sleep(min(time.Until(end), time.Duration(300+random.IntN(1000))*time.Millisecond))
		s.judge(false)
	}
}

// calmly makes calls for a while on a good network.
func (s *storm) calmly(rate int, long time.Duration) {
	stop := make(chan struct{})
	defer time.AfterFunc(long, func() { close(stop) }).Stop()
	s.blow(rate, stop)
	s.running.Wait()
}

// rest waits until nothing is under way, and looks at the process.
func (o *outrigger) rest(s *storm) footprint {
	o.t.Helper()
	s.quiet()
	o.until("nothing is in flight", func() bool {
		f := o.footprint()
		return f.inflight == 0 && f.bodies == 0
	})
	return o.footprint()
}

// figureTime is how often a line of figures is printed; after every few of them the load rests, so
// that what is left behind is seen.
const (
	figureTime = time.Minute
	restEvery  = 5
)

// figures are what a walk says of itself.
type figures struct {
	o     *outrigger
	s     *storm
	net   network
	begun time.Time
	least atomic.Int64 // heap
}

// aliveUnder is the least heap while load runs.
func (f *figures) aliveUnder(load func()) int64 {
	f.least.Store(0)
	load()
	return f.least.Load()
}

// log prints the line of a minute.
func (f *figures) log() {
	f.o.t.Helper()
	now, alive := f.o.footprint(), f.least.Swap(0)
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	judged, good := 0, 0
	for what, n := range f.s.outcomes {
		judged += n
		if strings.HasSuffix(what, " ok") {
			good += n
		}
	}
	w := f.s.wrong
	f.o.t.Logf("%5.0fs: %d calls, %d judged, %d ok, %d lost, %d doubled, %d truncated, %d otherwise wrong; least heap %.1f MiB; %v",
		time.Since(f.begun).Seconds(), f.s.count.Load(), judged, good, w[lost]+w[keyLost]+w[noAnswer]+w[endless], w[doubled], w[truncated]+w[untold],
		w[changed]+w[strange], float64(alive)/mebibyte, now)
}

// growth is what may be alive after a walk that was not before it: answers that are kept, and what
// is known of callers and models.
const growth = 24 * mebibyte

// judge looks at the whole: that the walk met what it is for, and what is alive after it.
func (f *figures) judge(before, after int64) {
	f.o.t.Helper()
	for _, what := range slices.Sorted(maps.Keys(f.s.outcomes)) {
		f.o.t.Logf("%7d %s", f.s.outcomes[what], what)
	}
	f.o.t.Logf("faults: %v", f.net.faults())
	if after > before+growth {
		f.o.t.Errorf("%.1f MiB are alive after the walk and %.1f before", float64(after)/mebibyte, float64(before)/mebibyte)
	}
	if len(f.s.items) > 0 {
		f.o.t.Errorf("%d calls were not judged", len(f.s.items))
	}
	for what, n := range f.net.faults() {
		if long := time.Since(f.begun) > 5*figureTime; n == 0 && long {
			f.o.t.Errorf("no call met %s", what)
		}
	}
}
