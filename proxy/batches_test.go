package proxy

import (
	"net/http"
	"strings"
	"testing"
)

// What happens to batches is told by the answers that an app gets anyway: it is counted and
// logged once, and the answers pass as they are.
func TestBatches_AreCountedAndLoggedOnce(t *testing.T) {
	answer := func(status string) string {
		return `{"id": "batch_1", "object": "batch", "status": "` + status + `", "error_file_id": "file-e", "request_counts": {"total": 9, "completed": 2, "failed": 7}}`
	}
	status, asked := "validating", ""
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		asked = r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Type", "application/json")
		body := answer(status)
		if r.URL.Path == "/v1/batches" && r.Method == http.MethodGet {
			body = `{"object": "list", "data": [` + body + `]}`
		}
		_, _ = w.Write([]byte(body))
	})
	for _, step := range []struct{ method, path, status string }{
		{http.MethodPost, "/v1/batches", "validating"},
		{http.MethodGet, "/v1/batches/batch_1", "in_progress"},
		{http.MethodGet, "/v1/batches", "in_progress"},
		{http.MethodGet, "/v1/batches/batch_1", "expired"},
		{http.MethodGet, "/v1/batches", "expired"},
		{http.MethodPost, "/v1/batches/batch_1/cancel", "expired"},
	} {
		status = step.status
		r := g.request(step.method, step.path, "")
		r.Header.Set("Accept-Encoding", "gzip")
		if _, got := g.do(r); !strings.Contains(got, answer(status)) {
			t.Errorf("%s %s: answer %s", step.method, step.path, got)
		}
		if asked != "identity" {
			t.Errorf("%s %s: asked for the encoding %q", step.method, step.path, asked)
		}
	}
	metrics := g.metricsText()
	for status, want := range map[string]string{"validating": "1", "in_progress": "1", "expired": "1", "failed": "0"} {
		if series := `outrigger_batches_total{status="` + status + `",upstream="openai"} ` + want + "\n"; !strings.Contains(metrics, series) {
			t.Errorf("no %s", series)
		}
	}
	log := g.log.String()
	if n := strings.Count(log, `"msg":"a batch expired"`); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if !strings.Contains(log, `"batch":"batch_1","lines":9,"lines_completed":2,"lines_failed":7,"error_file_id":"file-e"`) {
		t.Errorf("log:\n%s", log)
	}
}
