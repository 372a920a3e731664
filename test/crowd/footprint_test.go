package crowd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/test/process"
)

const mebibyte = 1 << 20

// footprint is what a process takes of its machine.
type footprint struct {
	goroutines    int
	files         int // open descriptors
	inflight      int
	memory, spool int64 // of bodies, as it counts them
	resident      int64 // bytes
}

// footprint looks at the process now.
func (o *outrigger) footprint() footprint {
	o.t.Helper()
	m := o.metrics()
	return footprint{
		goroutines: int(m["go_goroutines"]),
		files:      o.files(),
		inflight:   int(m["outrigger_inflight"]),
		memory:     int64(m[`outrigger_body_bytes{where="memory"}`]),
		spool:      int64(m[`outrigger_body_bytes{where="spool"}`]),
		resident:   int64(m["process_resident_memory_bytes"]),
	}
}

func (f footprint) String() string {
	return fmt.Sprintf("resident %d MiB, body memory %d MiB, spool %d MiB, %d goroutines, %d files, %d in flight",
		f.resident/mebibyte, f.memory/mebibyte, f.spool/mebibyte, f.goroutines, f.files, f.inflight)
}

// files counts the open descriptors. /proc, not the metric: the look through a
// connection to the process would be blocked when they are used up.
func (o *outrigger) files() int {
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(o.PID()), "fd"))
	if err != nil {
		process.Missing(o.t, "/proc of a process: %v", err)
	}
	return len(entries)
}

// peakResident is the most memory the process ever had, in bytes.
func (o *outrigger) peakResident() int64 {
	o.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(o.PID()), "status"))
	if err != nil {
		process.Missing(o.t, "/proc of a process: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				o.t.Fatal(err)
			}
			return kib << 10
		}
	}
	o.t.Fatal("no VmHWM")
	return 0
}

// watch looks again and again until the function that it returns is called, which
// gives the most that was seen of each.
func (o *outrigger) watch() func() footprint {
	var most footprint
	stop, all := make(chan struct{}), sync.WaitGroup{}
	all.Go(func() {
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for {
			f := o.footprint()
			most = footprint{
				max(most.goroutines, f.goroutines), max(most.files, f.files), max(most.inflight, f.inflight),
				max(most.memory, f.memory), max(most.spool, f.spool), max(most.resident, f.resident),
			}
			select {
			case <-stop:
				return
			case <-again.C:
			}
		}
	})
	return func() footprint {
		close(stop)
		all.Wait()
		most.resident = max(most.resident, o.peakResident())
		return most
	}
}

// allFreed waits until the process is back at what it had before, give or take
// what a few idle connections of its own have.
func (o *outrigger) allFreed(t *testing.T, before footprint) {
	t.Helper()
	const slack = 8
	var now footprint
	defer func() { t.Logf("before: %v; after: %v", before, now) }()
	until(t, "all is freed", func() bool {
		now = o.footprint()
		return now.inflight == 0 && now.memory == 0 && now.spool == 0 &&
			now.goroutines <= before.goroutines+slack && now.files <= before.files+slack
	})
}

// mebibytes is a size as the configuration has it.
func mebibytes(n int64) string { return strconv.FormatInt(n/mebibyte, 10) + "MiB" }
