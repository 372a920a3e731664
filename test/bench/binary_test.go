package bench

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"outrigger/test/process"
)

// binary is the outrigger binary, running with every setting at its default but its addresses,
// the upstream's and what the test adds.
type binary struct {
	*process.Process

	traffic, admin string // base URLs
}

// launch starts the binary and returns when it is ready, with how long that took from exec on.
func launch(tb testing.TB, path string, environment ...string) (*binary, time.Duration) {
	tb.Helper()
	traffic, admin := process.FreeAddress(tb), process.FreeAddress(tb)
	environment = append(environment, "OUTRIGGER_LISTEN="+traffic, "OUTRIGGER_ADMIN_LISTEN="+admin)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	b := &binary{process.Start(tb, environment, path), "http://" + traffic, "http://" + admin}
	for !isReady(tb, client, b.admin) {
		if time.Since(began) > 30*time.Second {
			tb.Fatalf("it is not ready:\n%s", b.Output())
		}
		time.Sleep(500 * time.Microsecond)
	}
	return b, time.Since(began)
}

func isReady(tb testing.TB, client *http.Client, admin string) bool {
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, admin+"/readyz", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// cpu is the CPU time that it has used, user and system: of its process's clock
// (clock_getcpuclockid), which is exact where /proc counts in ticks of 10 ms.
func (b *binary) cpu(tb testing.TB) time.Duration {
	tb.Helper()
	const cpuClockOfProcess = 2
	var used syscall.Timespec
	clock := ^b.PID()<<3 | cpuClockOfProcess
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&used)), 0); failed != 0 {
		tb.Fatal(failed)
	}
	return time.Duration(used.Nano())
}

var kilobytes = regexp.MustCompile(`(?m)^(VmRSS|RssAnon):\s+(\d+) kB$`)

// resident is the memory that it has, all of it and what is not its file's, in bytes.
func (b *binary) resident(tb testing.TB) (int64, int64) {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.PID()))
	if err != nil {
		tb.Fatal(err)
	}
	found := kilobytes.FindAllStringSubmatch(string(text), -1)
	if len(found) != 2 {
		tb.Fatalf("no memory in %s", text)
	}
	sizes := map[string]int64{}
	for _, f := range found {
		n, _ := strconv.ParseInt(f[2], 10, 64) // digits alone
		sizes[f[1]] = n << 10
	}
	return sizes["VmRSS"], sizes["RssAnon"]
}

// needLinux ends a test that reads what Linux alone tells.
func needLinux(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		process.Missing(tb, "what a process uses: Linux's /proc")
	}
}
