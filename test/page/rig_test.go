package page

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/test/process"
)

// runTimeout bounds one run of the browser.
const runTimeout = 6 * time.Minute

// world is the simulated upstream and Outrigger in front of it.
type world struct {
	upstream, traffic, admin string // base URLs
	outrigger                *process.Process
}

func start(t *testing.T, settings ...string) *world {
	t.Helper()
	binary := process.Binary(t)
	upstream, traffic, admin := process.FreeAddress(t), process.FreeAddress(t), process.FreeAddress(t)
	w := &world{upstream: "http://" + upstream, traffic: "http://" + traffic, admin: "http://" + admin}
	sim := process.Start(t, nil, binary, "sim", "-listen", upstream, "-latency", "150ms", "-token-delay", "8ms", "-tokens", "60")
	sim.Ready(t, w.upstream+"/_sim/")
	environment := append([]string{"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_UPSTREAMS=openai=" + w.upstream}, settings...)
	w.outrigger = process.Start(t, environment, binary)
	w.outrigger.Ready(t, w.admin+"/readyz")
	return w
}

// tell sets what the simulator does.
func (w *world) tell(t *testing.T, method, path, body string) {
	t.Helper()
	if status := ask(t.Context(), method, w.upstream+"/_sim/"+path, "", body); status != http.StatusOK {
		t.Fatalf("the simulator answered %d to %s", status, body)
	}
}

// call makes one call through Outrigger as the holder of key, and returns its status, 0 for none.
func (w *world) call(ctx context.Context, path, key, body string) int {
	return ask(ctx, http.MethodPost, w.traffic+"/v1/"+path, key, body)
}

func ask(ctx context.Context, method, url, key, body string) int {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
		request.Header.Set("X-Outrigger-Caller", strings.TrimPrefix(key, "sk-")+"-team")
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = new(bytes.Buffer).ReadFrom(response.Body)
	return response.StatusCode
}

// load has n callers make calls, one after the other, until the test ends.
func (w *world) load(t *testing.T, n int, path, key, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*runTimeout)
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() {
			for ctx.Err() == nil {
				w.call(ctx, path, key, body)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		callers.Wait()
	})
}

// plan is what the browser is to do.
type plan struct {
	Chromium string `json:"chromium"`
	URL      string `json:"url"`
	Name     string `json:"name"`     // of the state, for the screenshots
	Says     string `json:"says"`     // the headline, as a regular expression
	Requests int    `json:"requests"` // how many must be listed at least
	Dir      string `json:"dir"`      // of the screenshots
	Use      bool   `json:"use"`      // the page is used by keyboard
	Kill     int    `json:"kill"`     // the process that is ended at last; 0 is none
	Busy     string `json:"busy"`     // what the page must say where it is refused; "" opens nothing
}

// seen is what the browser saw.
type seen struct {
	Views    []view   `json:"views"`
	Problems []string `json:"problems"` // of the use by keyboard and of the lost connection
}

// view is the page in one color scheme and width.
type view struct {
	Name     string   `json:"name"`
	Headline string   `json:"headline"`
	Axe      []string `json:"axe"`      // violations
	Errors   []string `json:"errors"`   // of the console, and of the page's own
	Foreign  []string `json:"foreign"`  // what was asked of other origins
	Overflow int      `json:"overflow"` // pixels that the page is wider than the window
}

// browse runs the browser, and reports what no state of the page may show.
func browse(t *testing.T, p plan) seen {
	t.Helper()
	p.Chromium = chromium(t)
	if p.Dir = os.Getenv("OUTRIGGER_TEST_SCREENSHOTS"); p.Dir == "" {
		p.Dir = t.TempDir()
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "browser.mjs")
	command.Stdin, command.Cancel = bytes.NewReader(text), func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("the browser's script: %v\n%s%s", err, out, complaints.String())
	}
	var got seen
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, v := range got.Views {
		if len(v.Axe)+len(v.Errors)+len(v.Foreign) > 0 || v.Overflow > 0 {
			t.Errorf("%+v", v)
		}
	}
	for _, problem := range got.Problems {
		t.Error(problem)
	}
	return got
}

// chromium returns the browser's path, or ends the test as Missing does.
func chromium(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		process.Missing(t, "the status page in a browser: no node")
	}
	if _, err := os.Stat(filepath.Join("node_modules", "puppeteer-core")); err != nil {
		process.Missing(t, "the status page in a browser: no npm packages (make page)")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	process.Missing(t, "the status page in a browser: no Chromium (Debian: chromium)")
	return ""
}
