package monitoring

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"outrigger/test/process"
)

var (
	metric = regexp.MustCompile(`\boutrigger_\w+`)
	part   = regexp.MustCompile(`_(bucket|sum|count)$`) // of a histogram
)

// documented returns the metrics of the table in cmd/outrigger/README.md with their labels.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	_, table, _ := strings.Cut(read(t, "../../cmd/outrigger/README.md"), "\n### Metrics\n")
	table, _, _ = strings.Cut(table, "\n#")
	all := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		var labels []string
		for label := range strings.SplitSeq(cells[2], ",") {
			if label = strings.TrimSpace(label); label != "" {
				labels = append(labels, label)
			}
		}
		slices.Sort(labels)
		for _, name := range metric.FindAllString(cells[1], -1) {
			all[name] = labels
		}
	}
	if len(all) < 20 {
		t.Fatalf("the table has only %d metrics", len(all))
	}
	return all
}

func TestMetrics_OfAlertsAndDashboardExist(t *testing.T) {
	known := documented(t)
	used := map[string]bool{}
	for _, file := range []string{"prometheusrule.yaml", "dashboard.json"} {
		for _, name := range metric.FindAllString(read(t, filepath.Join(directory, file)), -1) {
			used[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		_, ok := known[name]
		_, histogram := known[part.ReplaceAllString(name, "")]
		if !ok && !histogram {
			t.Errorf("no metric %s in cmd/outrigger/README.md", name)
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d metrics are used", len(used))
	}
}

// The metrics page of a process that has seen all kinds of calls and failures is as Prometheus
// wants it, and its metrics and labels are those of the table.
func TestMetrics_OfAProcessUnderLoad(t *testing.T) {
	page := underLoad(t)
	promtool(t, ".", page, "check", "metrics")

	known := documented(t)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, family := range families {
		if !strings.HasPrefix(name, "outrigger_") {
			continue
		}
		seen++
		want, ok := known[name]
		if !ok {
			t.Errorf("%s is not in the table of cmd/outrigger/README.md", name)
			continue
		}
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName())
			}
			slices.Sort(labels)
			if !slices.Equal(labels, want) {
				t.Errorf("%s has the labels %q, the table %q", name, labels, want)
			}
		}
	}
	if n := len(families["outrigger_caller_requests_total"].GetMetric()); n < 51 {
		t.Errorf("only %d series of callers, want those of 50 and of other", n)
	}
	if seen < 25 {
		t.Errorf("only %d metrics were seen", seen)
	}
}

// underLoad returns the metrics page of a process after, and during, calls of all kinds.
func underLoad(t *testing.T) string {
	t.Helper()
	binary, sim, traffic, admin := process.Binary(t), process.FreeAddress(t), process.FreeAddress(t), process.FreeAddress(t)
	process.Start(t, nil, binary, "sim", "-listen", sim, "-latency", "20ms", "-limit", "rpm=3000").Ready(t, "http://"+sim+"/_sim/")
	ask(t, http.MethodPut, "http://"+sim+"/_sim/faults", `[
		{"kind": "status", "status": 500, "probability": 0.2},
		{"kind": "reset", "probability": 0.1},
		{"kind": "cut_reset", "probability": 0.1, "events": 3},
		{"kind": "row", "row": "openai/429_credit_balance_exhausted", "credential": "sk-poor"}]`)
	process.Start(t, []string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_RETRY_BASE=10ms", "OUTRIGGER_RETRY_CAP=50ms",
		"OUTRIGGER_UPSTREAMS=openai=http://" + sim + ",gone=http://" + process.FreeAddress(t), "OUTRIGGER_MAX_INFLIGHT=20", "OUTRIGGER_BREAKER_WAIT=1s",
		"OUTRIGGER_CALLER_HEADER=on", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + process.FreeAddress(t),
	}, binary).Ready(t, "http://"+admin+"/readyz")

	chat := `{"model": "gpt-4.1", "stream": %v, "messages": [{"role": "user", "content": "Why?"}]}`
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			key := "sk-rich"
			if i%20 == 0 {
				key = "sk-poor"
			}
			path, body := "/v1/chat/completions", fmt.Sprintf(chat, i%2 == 0)
			switch i % 10 {
			case 7:
				path, body = "/v1/embeddings", `{"model": "text-embedding-3-small", "input": "a"}`
			case 8:
				path = "/@gone/v1/chat/completions"
			case 9:
				path = "/v1/nothing"
			}
			call(t, "http://"+traffic+path, body, key, i)
		})
	}
	ask(t, http.MethodGet, "http://"+admin+"/metrics", "") // it is read while all this goes on
	calls.Wait()
	return ask(t, http.MethodGet, "http://"+admin+"/metrics", "")
}

// call makes one call and reads what comes of it; all is well with that.
func call(t *testing.T, url, body, key string, i int) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Outrigger-Caller", fmt.Sprint("team ", i%70)) // more than have a label
	if i%3 == 0 {
		request.Header.Set("X-Stainless-Retry-Count", "1")
		request.Header.Set("Idempotency-Key", fmt.Sprint("k", i))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body) // streams are cut
	_ = response.Body.Close()
}

func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(response.Body); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: status %d, %v: %s", method, url, response.StatusCode, err, b.String())
	}
	return b.String()
}
