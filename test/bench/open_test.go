package bench

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkOpenStreams reports the memory that one open, idle stream holds in each
// proxy, of 1,000, and its ratio; the aim is 1.3.
func BenchmarkOpenStreams(b *testing.B) {
	const streams, rounds = 1000, 5
	for b.Loop() {
		kib, ratios := map[string][]float64{}, []float64{}
		for range rounds {
			for role := range roles {
				kib[role] = append(kib[role], openMemory(b, role, streams))
			}
			n := len(kib[bare]) - 1
			ratios = append(ratios, kib[outrigger][n]/kib[bare][n])
		}
		for role := range roles {
			slices.Sort(kib[role])
			b.ReportMetric(kib[role][rounds/2], role+"-KiB/stream")
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[rounds/2], "memory-ratio")
		b.ReportMetric(ratios[0], "memory-ratio-min")
		b.ReportMetric(ratios[rounds-1], "memory-ratio-max")
	}
	b.ReportMetric(0, "ns/op")
}

// openMemory starts a proxy of its own, so that each round begins with a fresh heap.
func openMemory(b *testing.B, role string, streams int) float64 {
	b.Helper()
	upstream, release := newUpstream(b)
	client := newClient(b, streams)
	c := start(b, role, upstream)
	loads["stream"].run(b, client, c.url, 32)
	before := c.reading(b, "collect")
	held := hold(b, client, c.url, streams)
	after := c.reading(b, "collect")
	release()
	if lost := held.finish(); lost > 0 && role != bare { // which cuts some: see BenchmarkOverhead
		b.Errorf("%d of %d streams did not come whole", lost, streams)
	}
	return float64(after.Live-before.Live) / 1024 / float64(streams)
}

// BenchmarkTenThousandOpenStreams opens 10,000 streams through Outrigger at once and
// lets them end together: each must arrive whole. The callers share HTTP/2 connections,
// since over HTTP/1.1 a process would need two descriptors a stream, and hard limits of
// 20,000 are common.
func BenchmarkTenThousandOpenStreams(b *testing.B) {
	const streams = 10_000
	upstream, release := newUpstream(b)
	client := newMultiplexer(b)
	c := start(b, outrigger, upstream)
	loads["stream"].run(b, client, c.url, 32)
	for b.Loop() {
		before, began := c.reading(b, "collect"), time.Now()
		held := hold(b, client, c.url, streams)
		opened := time.Since(began)
		after := c.reading(b, "collect")
		release()
		lost := held.finish()
		if lost > 0 {
			b.Errorf("%d of %d streams did not come whole", lost, streams)
		}
		b.ReportMetric(float64(lost), "lost")
		b.ReportMetric(opened.Seconds(), "s-to-open")
		b.ReportMetric(float64(after.Live-before.Live)/1024/streams, "KiB/stream")
	}
	b.ReportMetric(0, "ns/op")
}

// newMultiplexer returns a client that speaks cleartext HTTP/2.
func newMultiplexer(tb testing.TB) *http.Client {
	tb.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// openStreams are streams whose first event was read.
type openStreams []*http.Response

// hold opens n streams, some at a time, and reads the first event of each.
func hold(tb testing.TB, client *http.Client, url string, n int) openStreams {
	tb.Helper()
	const together = 64
	all := make(openStreams, n)
	var next atomic.Int64
	var callers sync.WaitGroup
	for range together {
		callers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				all[i] = holdOne(tb, client, url)
			}
		})
	}
	callers.Wait()
	if slices.Contains(all, nil) {
		tb.FailNow()
	}
	return all
}

func holdOne(tb testing.TB, client *http.Client, url string) *http.Response {
	response, err := send(tb, client, url, open.Question(questionSize))
	if err != nil {
		tb.Error(err)
		return nil
	}
	tb.Cleanup(func() { _ = response.Body.Close() })
	if _, err := io.ReadFull(response.Body, make([]byte, len(chunk))); err != nil || response.StatusCode != http.StatusOK {
		tb.Errorf("status %d: %v", response.StatusCode, err)
		return nil
	}
	return response
}

// finish reads the rest of each and returns how many did not come whole.
func (all openStreams) finish() int {
	var lost atomic.Int64
	var readers sync.WaitGroup
	for _, response := range all {
		readers.Go(func() {
			rest, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || string(rest) != last {
				lost.Add(1)
			}
		})
	}
	readers.Wait()
	return int(lost.Load())
}
