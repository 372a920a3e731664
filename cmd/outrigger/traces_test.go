package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes spans as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	mu        sync.Mutex
	resources []*tracepb.ResourceSpans
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var all tracepb.TracesData
		if err := proto.Unmarshal(body, &all); err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("not OTLP in protobuf: %v, %v", err, r.Header)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.resources = append(c.resources, all.ResourceSpans...)
	}))
	t.Cleanup(c.Close)
	return c
}

// got returns the spans so far, and the attributes of the process.
func (c *collector) got() ([]*tracepb.Span, map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var spans []*tracepb.Span
	process := map[string]string{}
	for _, resource := range c.resources {
		for _, a := range resource.Resource.Attributes {
			process[a.Key] = a.Value.GetStringValue()
		}
		for _, scope := range resource.ScopeSpans {
			spans = append(spans, scope.Spans...)
		}
	}
	return spans, process
}

// What a process has recorded is sent at the latest when it ends.
func TestTraces_AreSentByOTLP(t *testing.T) {
	to := newCollector(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":[]}`) }))
	defer upstream.Close()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=openai="+upstream.URL, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL,
		"OTEL_SERVICE_NAME=my-sidecar", "OTEL_TRACES_SAMPLER=nonsense", "OTEL_BSP_SCHEDULE_DELAY=3600000")
	get(t, "http://"+p.traffic+"/v1/models")
	p.signal(syscall.SIGTERM)
	if code := p.exitCode(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	spans, process := to.got()
	if len(spans) != 2 || process["service.name"] != "my-sidecar" || process["telemetry.sdk.language"] != "go" {
		t.Errorf("%d spans of %v", len(spans), process)
	}
	for _, want := range []string{`"msg":"traces are on"`, "OTEL_TRACES_SAMPLER: not a sampler that is known"} {
		if !strings.Contains(p.output(), want) {
			t.Errorf("the log lacks %s:\n%s", want, p.output())
		}
	}
}

// A collector that takes connections and never answers delays neither requests nor, by more
// than seconds, the end of the process.
func TestTraces_ACollectorThatHangsDelaysNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":[]}`) }))
	defer upstream.Close()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=openai="+upstream.URL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+silent.Addr().String(),
		"OTEL_BSP_MAX_QUEUE_SIZE=10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10")
	start := time.Now()
	for range 50 {
		get(t, "http://"+p.traffic+"/v1/models")
	}
	if took := time.Since(start); took > patience/2 {
		t.Errorf("50 requests took %s", took)
	}
	if _, page := get(t, "http://"+p.admin+"/metrics"); !strings.Contains(page, `outrigger_trace_spans_total{result="dropped"} 90`) {
		t.Errorf("no metric says that 90 of 100 spans were dropped")
	}
	p.signal(syscall.SIGTERM)
	if code := p.exitCode(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// Without an endpoint there are no traces, and nothing is said of them.
func TestTraces_AreOffByDefault(t *testing.T) {
	p := startProcess(t, "OTEL_SERVICE_NAME=a", "OTEL_TRACES_SAMPLER=nonsense")
	if _, page := get(t, "http://"+p.admin+"/metrics"); strings.Contains(page, "outrigger_trace") {
		t.Error("a metric of traces is there")
	}
	p.signal(syscall.SIGTERM)
	p.exitCode()
	if log := p.output(); strings.Contains(log, "OTEL") || strings.Contains(log, "traces") {
		t.Errorf("the log speaks of traces:\n%s", log)
	}
}

// check says where traces would go, without the secrets in the URL, and what is wrong.
func TestTraces_CheckTellsWhereTheyGo(t *testing.T) {
	for _, c := range []struct{ entry, want string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:secret@collector:4318", "traces are sent to http://collector:4318/v1/traces"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=secret:4317", "warning: OTEL_EXPORTER_OTLP_ENDPOINT: not an http or https URL"},
	} {
		var out strings.Builder
		if code := run(t.Context(), []string{"check"}, []string{c.entry}, &out, io.Discard); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "secret") {
			t.Errorf("%s: want %q in\n%s", c.entry, c.want, out.String())
		}
	}
}
