package sdk

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"outrigger/test/process"
)

// A request of the openai package, whose HTTP client OpenTelemetry instruments, and all that
// Outrigger does for it are one trace: the first attempt fails, the second streams.
func TestTraces_JoinThatOfAnInstrumentedClient(t *testing.T) {
	t.Parallel()
	command := pythonCommand(t)
	traced := filepath.Join(root(t), "test/sdk/python/traced.py")
	if output, err := exec.CommandContext(t.Context(), command[0], "-c", "import opentelemetry.instrumentation.httpx").CombinedOutput(); err != nil {
		process.Missing(t, "no instrumentation of OpenTelemetry (make python fetches it): %v %s", err, output)
	}
	var mu sync.Mutex
	var spans []*tracepb.Span
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var all tracepb.TracesData
		if err := proto.Unmarshal(body, &all); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range all.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				spans = append(spans, scope.Spans...)
			}
		}
	}))
	defer collector.Close()

	binary, sim, traffic, admin := process.Binary(t), process.FreeAddress(t), process.FreeAddress(t), process.FreeAddress(t)
	process.Start(t, nil, binary, "sim", "-listen", sim, "-latency", "0s").Ready(t, "http://"+sim+"/_sim/")
	put(t, "http://"+sim+"/_sim/faults", `[{"kind": "status", "status": 500, "first": 1}]`)
	outrigger := process.Start(t, []string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_UPSTREAMS=openai=http://" + sim, "OUTRIGGER_RETRY_BASE=10ms",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL,
	}, binary)
	outrigger.Ready(t, "http://"+admin+"/readyz")

	client := exec.CommandContext(t.Context(), command[0], traced)
	client.Env = append(client.Environ(), "OPENAI_BASE_URL=http://"+traffic+"/v1", "OPENAI_API_KEY="+key)
	output, err := client.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var told struct {
		Trace    string
		Requests []string
		Text     string
	}
	if err := json.Unmarshal(output, &told); err != nil || len(told.Requests) != 1 || told.Text == "" {
		t.Fatalf("the client told %s (%v)", output, err)
	}
	outrigger.Signal(t, syscall.SIGTERM)
	outrigger.Wait(t)

	mu.Lock()
	defer mu.Unlock()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want one of the request and two of attempts: %v", len(spans), spans)
	}
	for _, s := range spans {
		if fmt.Sprintf("%x", s.TraceId) != told.Trace {
			t.Errorf("%s is in trace %x, want the client's, %s", s.Name, s.TraceId, told.Trace)
		}
		if s.Kind == tracepb.Span_SPAN_KIND_SERVER && fmt.Sprintf("%x", s.ParentSpanId) != told.Requests[0] {
			t.Errorf("the request's parent is %x, want the client's HTTP request, %s", s.ParentSpanId, told.Requests[0])
		}
	}
}
