package fleet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/policy/limit"
	"outrigger/policy/priority"
	"outrigger/proxy/admission"
	"outrigger/proxy/fleet/server"
	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

// accountOf names the i-th account of a benchmark.
func accountOf(i int) admission.Account {
	return admission.Account{Payer: sha256.Sum256([]byte(strconv.Itoa(i))), Model: "gpt-4o-mini"}
}

// typical is what a sidecar asks in the middle of its work: five requests in 100 ms, under limits
// on requests and on tokens that are learned. Scarce says that the limit on requests is far below.
func typical(scarce bool) limit.Ask {
	requests := limit.AskSlot{Slot: 0, Speed: 1e9, Burst: 1e9, Level: 1e9, Told: limit.NoTold, Want: 5000, Head: 1000}
	if scarce {
		requests.Speed, requests.Burst, requests.Level = 1000, 1000, 0
	}
	tokens := limit.AskSlot{Slot: 1, Speed: 1e12, Burst: 1e12, Level: 1e12, Told: limit.NoTold, Want: 2e6, Head: 4e5}
	return limit.Ask{Slots: []limit.AskSlot{requests, tokens}, Sent: [4]int64{4, 1600}, Queue: priority.Counts{0, 5, 0}}
}

// atServer returns a Fleet at a real server.
func atServer(tb testing.TB, addr string) *Fleet {
	tb.Helper()
	s, err := server.Parse("redis://" + addr)
	if err != nil {
		tb.Fatal(err)
	}
	f := Open(s, false, quiet{})
	tb.Cleanup(f.Close)
	// A benchmark drives the server to its limit, where a sidecar would go on without it.
	ask := f.eval
	f.eval = func(_ context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return ask(ctx, s, keys, args...)
	}
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(probeEach) {
		parts, _ := f.Apart()
		if parts == 0 {
			return f
		}
		if time.Now().After(late) {
			tb.Fatalf("the server cannot be used: %s", f.Status(false).Cause)
		}
	}
}

// leaseSlowly leases, however late the script begins.
func (f *Fleet) leaseSlowly(of admission.Account, a limit.Ask) (admission.Lease, error) {
	f.health.clock.Store(0)
	return f.lease(of, admission.Ask{Ask: a})
}

// info returns a number of the server's INFO.
func info(tb testing.TB, f *Fleet, section, field string) float64 {
	tb.Helper()
	text, err := f.client.Info(context.Background(), section).Result()
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				tb.Fatalf("%s: %v", line, err)
			}
			return n
		}
	}
	tb.Fatalf("no %s in INFO %s", field, section)
	return 0
}

// BenchmarkLease reports how many leases a real server serves per second, of one account or of
// as many as there are members, what one takes of the server's CPU, and its median time there
// and back. Each member has one lease under way at a time.
func BenchmarkLease(b *testing.B) {
	addr := redisserver.StartKind(b, redisserver.Redis).Addr
	for _, accounts := range []string{"one", "each"} {
		for _, scarce := range []bool{false, true} {
			for _, members := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("accounts:%s/scarce:%v/members:%d", accounts, scarce, members), func(b *testing.B) {
					benchLeases(b, addr, accounts == "one", scarce, members)
				})
			}
		}
	}
}

func benchLeases(b *testing.B, addr string, one, scarce bool, members int) {
	fleets := make([]*Fleet, members)
	for i := range fleets {
		fleets[i] = atServer(b, addr)
	}
	if err := fleets[0].client.FlushAll(b.Context()).Err(); err != nil {
		b.Fatal(err)
	}
	cpu := func() float64 {
		return info(b, fleets[0], "cpu", "used_cpu_user") + info(b, fleets[0], "cpu", "used_cpu_sys")
	}
	var left, failed atomic.Int64
	left.Store(int64(b.N))
	trips := make([][]time.Duration, members)
	before := cpu()
	b.ResetTimer()
	var all sync.WaitGroup
	for i, f := range fleets {
		of := accountOf(0)
		if !one {
			of = accountOf(i)
		}
		a := typical(scarce)
		a.Epoch = "known"
		all.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				r, err := f.leaseSlowly(of, a)
				if err != nil { // the machine stood still for a second
					failed.Add(1)
					continue
				}
				a.Epoch, a.Version = r.Epoch, r.Version
				trips[i] = append(trips[i], time.Since(began))
			}
		})
	}
	all.Wait()
	took := b.Elapsed()
	b.StopTimer()
	if n := failed.Load(); n > int64(b.N)/100 {
		b.Fatalf("%d of %d leases failed", n, b.N)
	}
	flat := slices.Sorted(slices.Values(slices.Concat(trips...)))
	b.ReportMetric(float64(b.N)/took.Seconds(), "leases/s")
	b.ReportMetric((cpu()-before)/float64(b.N)*1e6, "server-cpu-us/lease")
	b.ReportMetric(float64(flat[len(flat)/2].Microseconds()), "median-us")
}

// BenchmarkServerMemory reports what an account with one member takes of the server's memory, and
// what each further member takes.
func BenchmarkServerMemory(b *testing.B) {
	const many = 1000
	f := atServer(b, redisserver.StartKind(b, redisserver.Redis).Addr)
	for b.Loop() {
		if err := f.client.FlushAll(b.Context()).Err(); err != nil {
			b.Fatal(err)
		}
		used := func() float64 { return info(b, f, "memory", "used_memory") }
		ask := func(of admission.Account, scarce bool) {
			a := typical(scarce)
			a.Known = &limit.Knowledge{Limits: []limit.KnownLimit{
				{Slot: "requests", Limit: 10_000, Window: 60, Source: limit.SourceHeader, Rate: 166.7, Sure: true},
				{Slot: "tokens", Limit: 2_000_000, Window: 60, Source: limit.SourceHeader, Rate: 33_333, Sure: true, Factor: 0.7},
			}}
			if _, err := f.leaseSlowly(of, a); err != nil {
				b.Fatal(err)
			}
		}
		ask(accountOf(-1), true) // the script itself, and what the connection takes
		start := used()
		for i := range many {
			ask(accountOf(i), true)
		}
		accounts := used()
		own := f.id
		for range many {
			f.id = nonce()
			ask(accountOf(-1), true)
		}
		f.id = own
		b.ReportMetric((accounts-start)/many, "B/account")
		b.ReportMetric((used()-accounts)/many, "B/member")
	}
}
