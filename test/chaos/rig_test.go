package chaos

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"outrigger/test/process"
)

func TestMain(m *testing.M) {
	code := m.Run()
	process.Remove()
	os.Exit(code)
}

// outrigger is the process under test.
type outrigger struct {
	*process.Process
	t        *testing.T
	base     string // of the traffic listener, without /v1
	admin    string
	settings string // the file that SIGHUP reads
	asker    *http.Client
}

// start runs outrigger with its settings until the test ends. What a reload may change is in more.
func start(t *testing.T, more []string, environment ...string) *outrigger {
	t.Helper()
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	o := &outrigger{
		t: t, base: "http://" + traffic, admin: "http://" + admin, settings: filepath.Join(t.TempDir(), "settings.env"),
		asker: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
	}
	o.write(more)
	o.Process = process.Start(t, append([]string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_ENV_FILE=" + o.settings,
		"OUTRIGGER_SPOOL_DIR=" + t.TempDir(), "OUTRIGGER_LOG_FORMAT=json",
	}, environment...), process.Binary(t))
	t.Cleanup(func() {
		o.asker.CloseIdleConnections()
		log := o.Output()
		for _, sign := range []string{"panic", "fatal error", "DATA RACE"} {
			if strings.Contains(log, sign) {
				t.Errorf("its log has %q", sign)
			}
		}
		for line := range strings.Lines(log) {
			if !json.Valid([]byte(line)) {
				t.Errorf("its log has a line that is no JSON: %.100q", line)
				break
			}
		}
	})
	o.Ready(t, o.admin+"/readyz")
	return o
}

func (o *outrigger) write(settings []string) {
	o.t.Helper()
	if err := os.WriteFile(o.settings, []byte(strings.Join(settings, "\n")+"\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// reload makes settings the process's, and waits until they are.
func (o *outrigger) reload(settings []string) {
	o.t.Helper()
	taken := func() float64 {
		m := o.metrics()
		if m[`outrigger_reloads_total{result="refused"}`] > 0 {
			o.t.Fatalf("settings are refused: %q\n%s", settings, o.Output())
		}
		return m[`outrigger_reloads_total{result="applied"}`] + m[`outrigger_reloads_total{result="unchanged"}`]
	}
	before := taken()
	o.write(settings)
	o.Signal(o.t, syscall.SIGHUP)
	o.until("the new settings are in force", func() bool { return taken() > before })
}

// metrics returns /metrics by series, written as there.
func (o *outrigger) metrics() map[string]float64 {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.admin+"/metrics", http.NoBody)
	if err != nil {
		o.t.Fatal(err)
	}
	response, err := o.asker.Do(request)
	if err != nil {
		o.t.Errorf("/metrics: %v", err)
		return nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Errorf("/metrics: %v", err)
	}
	series := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
			series[name] = n
		}
	}
	return series
}

// patience bounds what is waited for; it only matters when the test fails.
const patience = 2 * time.Minute

// until waits for a condition.
func (o *outrigger) until(what string, holds func() bool) {
	o.t.Helper()
	late, again := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-late:
			o.t.Fatalf("waited %v in vain until %s", patience, what)
		case <-again.C:
		}
	}
}
