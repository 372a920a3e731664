package crowd

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrigger/test/process"
)

// full: the crowds have their full size.
var full = os.Getenv("OUTRIGGER_TEST_CROWD") == "full"

// scaled returns the size of a crowd.
func scaled(size, fullSize int) int {
	if full {
		return fullSize
	}
	return size
}

// patience bounds what a test waits for. It only matters when the test fails.
func patience() time.Duration {
	if full || raced {
		return 4 * time.Minute
	}
	return time.Minute
}

func TestMain(m *testing.M) {
	code := m.Run()
	process.Remove()
	os.Exit(code)
}

// outrigger is the process under test.
type outrigger struct {
	*process.Process
	t     *testing.T
	base  string // of the traffic listener, without /v1
	admin string
	asker *http.Client // of the admin listener
}

// start runs outrigger until the test ends, which then holds its log to account.
func start(t *testing.T, environment ...string) *outrigger {
	t.Helper()
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	environment = append([]string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_SPOOL_DIR=" + t.TempDir(),
		"OUTRIGGER_LOG_LEVEL=error", "OUTRIGGER_LOG_FORMAT=json",
	}, environment...)
	o := &outrigger{
		t: t, base: "http://" + traffic, admin: "http://" + admin,
		Process: process.Start(t, environment, process.Binary(t)),
		asker:   &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
	}
	t.Cleanup(func() {
		o.asker.CloseIdleConnections()
		log := o.Output()
		for _, sign := range []string{"panic", "fatal error", "DATA RACE"} {
			if strings.Contains(log, sign) {
				t.Errorf("its log has %q", sign)
			}
		}
	})
	o.Ready(t, o.admin+"/readyz")
	return o
}

// status is what these tests need of /status.json.
type status struct {
	Draining  bool
	Inflight  int
	Memory    int64 `json:"body_memory_bytes"`
	Spool     int64 `json:"body_spool_bytes"`
	Upstreams []struct {
		Name     string
		Breaker  string
		Waiting  int `json:"waiting_at_breaker"`
		Limiters []struct {
			State struct{ Queue int }
		}
	}
}

// queue is how many wait in limiters' lines.
func (s status) queue() int {
	n := 0
	for _, u := range s.Upstreams {
		for _, l := range u.Limiters {
			n += l.State.Queue
		}
	}
	return n
}

func (o *outrigger) ask(path string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.admin+path, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	response, err := o.asker.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func (o *outrigger) status() status {
	o.t.Helper()
	var s status
	_, body, err := o.ask("/status.json")
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err != nil {
		o.t.Errorf("/status.json: %v", err)
	}
	return s
}

// metrics returns /metrics by series, written as there.
func (o *outrigger) metrics() map[string]float64 {
	o.t.Helper()
	_, body, err := o.ask("/metrics")
	if err != nil {
		o.t.Errorf("/metrics: %v", err)
	}
	series := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
			series[name] = n
		}
	}
	return series
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late, again, began := time.After(patience()), time.NewTicker(20*time.Millisecond), time.Now()
	defer again.Stop()
	defer func() { t.Logf("%v until %s", time.Since(began).Round(10*time.Millisecond), what) }()
	for !holds() {
		select {
		case <-late:
			t.Fatalf("waited %v in vain: %s", patience(), what)
		case <-again.C:
		}
	}
}

// complaints are many errors, of which the first are reported, and their number.
type complaints struct {
	t     *testing.T
	count int
}

func newComplaints(t *testing.T) *complaints {
	c := &complaints{t: t}
	t.Cleanup(func() {
		if c.count > 10 {
			t.Errorf("%d errors like these", c.count)
		}
	})
	return c
}

func (c *complaints) addf(format string, arguments ...any) {
	c.t.Helper()
	if c.count++; c.count <= 10 {
		c.t.Errorf(format, arguments...)
	}
}
