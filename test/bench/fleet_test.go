package bench

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

// What a fleet may cost: added at the median, and scripts per request at 1,000 a second.
const (
	mostAdded   = time.Millisecond
	mostScripts = 0.2
)

// fleetRounds is how many rounds each child has, and fleetRound how long one is.
const (
	fleetRounds = 5
	fleetRound  = 2 * time.Second
)

// BenchmarkFleet reports what limits shared over a Redis add to the median time of a call, and how
// many scripts that takes per request. The same calls go, in turn, through an Outrigger
// without and one with OUTRIGGER_REDIS_URL. No limit is ever reached.
func BenchmarkFleet(b *testing.B) {
	for _, limit := range []string{"none", "told", "configured"} {
		for _, perSecond := range []int{200, 1000} {
			b.Run("limit:"+limit+"/per-second:"+strconv.Itoa(perSecond), func(b *testing.B) {
				for b.Loop() {
					benchFleet(b, limit, perSecond)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func benchFleet(b *testing.B, limit string, perSecond int) {
	b.Helper()
	redis := goredis.NewClient(&goredis.Options{Addr: redisserver.StartKind(b, redisserver.Redis).Addr, DisableIdentity: true})
	defer func() { _ = redis.Close() }()
	b.Setenv(redisVariable, "redis://"+redis.Options().Addr)
	b.Setenv(limitVariable, limit)
	upstream := newMuteUpstream(b)
	if limit == "told" {
		upstream, _ = newUpstream(b)
	}
	client := newClient(b, 64)
	without, with := start(b, outrigger, upstream), start(b, inFleet, upstream)
	for _, c := range []*child{without, with} {
		pace(b, client, c.url, perSecond, 2*fleetRound) // connections settle, and the slow start ends
	}
	var alone, shared, added []time.Duration
	var cpuAlone, cpuShared time.Duration
	scripts, requests := 0, 0
	for range fleetRounds {
		cpuAlone -= without.reading(b, "read").CPU
		a := pace(b, client, without.url, perSecond, fleetRound)
		cpuAlone += without.reading(b, "read").CPU
		cpuShared -= with.reading(b, "read").CPU
		scripts -= scriptsOf(b, redis)
		s := pace(b, client, with.url, perSecond, fleetRound)
		scripts += scriptsOf(b, redis)
		cpuShared += with.reading(b, "read").CPU
		requests += len(s)
		alone, shared = append(alone, a...), append(shared, s...)
		added = append(added, middle(s)-middle(a))
	}
	perRequest := float64(scripts) / float64(requests)
	b.ReportMetric(milliseconds(middle(alone)), "alone-ms")
	b.ReportMetric(milliseconds(middle(shared)), "fleet-ms")
	b.ReportMetric(milliseconds(middle(added)), "added-ms")
	b.ReportMetric(float64((cpuShared-cpuAlone).Microseconds())/float64(requests), "added-cpu-us/req")
	b.ReportMetric(perRequest, "scripts/req")
	if got := middle(added); got > mostAdded {
		b.Errorf("the fleet adds %v at the median, want at most %v", got, mostAdded)
	}
	if scripts == 0 || perSecond >= 1000 && perRequest > mostScripts {
		b.Errorf("%.3f scripts per request, want some, and at most %.1f", perRequest, mostScripts)
	}
}

// pace sends so many calls per second for a time, whatever becomes of them, and returns how long
// each took.
func pace(b *testing.B, client *http.Client, url string, perSecond int, last time.Duration) []time.Duration {
	b.Helper()
	n := int(last.Seconds() * float64(perSecond))
	took := make([]time.Duration, n)
	l := load{body: question, want: answer}
	began := time.Now()
	var calls sync.WaitGroup
	for i := range n {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
		calls.Go(func() {
			sent := time.Now()
			if err := l.once(b, client, url); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(sent)
		})
	}
	calls.Wait()
	return took
}

// newMuteUpstream answers every chat at once and tells nothing of limits.
func newMuteUpstream(tb testing.TB) string {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = io.WriteString(w, answer)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

// scriptsOf returns how many scripts the server has run.
func scriptsOf(b *testing.B, redis *goredis.Client) int {
	b.Helper()
	stats, err := redis.InfoMap(b.Context(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, name := range []string{"cmdstat_evalsha", "cmdstat_eval"} {
		n += calls(stats["Commandstats"][name])
	}
	return n
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func middle(list []time.Duration) time.Duration {
	sorted := slices.SortedFunc(slices.Values(list), cmp.Compare[time.Duration])
	return sorted[len(sorted)/2]
}

// calls reads the number in "calls=12,usec=…".
func calls(text string) int {
	var n int
	for _, c := range text[min(len(text), len("calls=")):] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
