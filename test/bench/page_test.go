package bench

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"outrigger/test/process"
)

// What an open status page may take of one core, at so many requests per second.
const (
	mostOfCore    = 0.01
	pagePerSecond = 500
	pageRounds    = 20
	pageRound     = 2 * time.Second
)

// BenchmarkPage reports what an open status page costs while requests pass: the binary's CPU
// time with a reader of /events less that without one, in turns, as a share of one core.
func BenchmarkPage(b *testing.B) {
	needLinux(b)
	path := process.Binary(b)
	upstream, _ := newUpstream(b)
	client := newClient(b, 64)
	for b.Loop() {
		p, _ := launch(b, path, "OUTRIGGER_UPSTREAMS=openai="+upstream, "OUTRIGGER_LOG_LEVEL=warn") // the log is no part of it
		pace(b, client, p.traffic, pagePerSecond, 2*pageRound)
		share := func() float64 {
			began, used := time.Now(), p.cpu(b)
			pace(b, client, p.traffic, pagePerSecond, pageRound)
			return float64(p.cpu(b)-used) / float64(time.Since(began))
		}
		var closed, opened, added []float64
		var read int64
		for i := range pageRounds {
			var without, with float64
			measure := func(open bool) {
				if !open {
					without = share()
					return
				}
				end := openPage(b, p.admin)
				with = share()
				read += end()
			}
			measure(i%2 == 0) // what comes second has the warmer machine
			measure(i%2 != 0)
			closed, opened, added = append(closed, without), append(opened, with), append(added, with-without)
		}
		itself := func(f float64) float64 { return f }
		b.ReportMetric(100*median(closed, itself), "closed-%core")
		b.ReportMetric(100*median(opened, itself), "open-%core")
		b.ReportMetric(100*median(added, itself), "added-%core")
		b.ReportMetric(float64(read)/1024/pageRounds/pageRound.Seconds(), "KiB/s")
		if got := median(added, itself); got > mostOfCore {
			b.Errorf("an open page takes %.2f %% of a core, want at most %.0f %%", 100*got, 100*mostOfCore)
		}
		if read == 0 {
			b.Error("the page got nothing")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// openPage reads the events that a page is sent. What it returns ends that, and says how many
// bytes came.
func openPage(b *testing.B, admin string) func() int64 {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/events", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatal(response, err)
	}
	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, response.Body) // until it is canceled
		_ = response.Body.Close()
		read <- n
	}()
	return func() int64 {
		cancel()
		return <-read
	}
}
