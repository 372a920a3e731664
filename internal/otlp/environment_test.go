package otlp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const aCollector = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"

func TestLoad_TracesAreOnIfAnEndpointIsSet(t *testing.T) {
	for _, c := range []struct {
		environ []string
		url     string // "" is off
		why     string // part of the explanation
	}{
		{nil, "", ""},
		{[]string{"OTEL_SERVICE_NAME=a", "OTEL_TRACES_SAMPLER=nonsense"}, "", ""},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT= "}, "", ""},
		{[]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://collector:4318/v1/metrics"}, "", ""},
		{[]string{aCollector}, "http://collector:4318/v1/traces", ""},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=https://collector/base/"}, "https://collector/base/v1/traces", ""},
		{[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/own"}, "http://collector:4318/own", ""},
		{[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318"}, "http://collector:4318/", ""},
		{[]string{aCollector, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://other/own"}, "http://other/own", ""},
		{[]string{aCollector, "OTEL_SDK_DISABLED=TRUE"}, "", "OTEL_SDK_DISABLED"},
		{[]string{aCollector, "OTEL_SDK_DISABLED=false"}, "http://collector:4318/v1/traces", ""},
		{[]string{aCollector, "OTEL_TRACES_EXPORTER=none"}, "", "OTEL_TRACES_EXPORTER"},
		{[]string{aCollector, "OTEL_TRACES_EXPORTER=otlp"}, "http://collector:4318/v1/traces", ""},
		{[]string{aCollector, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, "http://collector:4318/v1/traces", ""},
	} {
		s, mistakes := Load(c.environ)
		got := ""
		if s.On() {
			got = s.URL.String()
		}
		if got != c.url || !strings.Contains(s.Explanation, c.why) || c.why == "" && s.Explanation != "" || len(mistakes) > 0 {
			t.Errorf("%v: %q (%s), mistakes %v; want %q", c.environ, got, s.Explanation, mistakes, c.url)
		}
	}
}

// A value that is wrong is told, without being quoted, and counts as not set.
func TestLoad_MistakesAreToldAndChangeNothing(t *testing.T) {
	plain, _ := Load([]string{aCollector})
	for _, entry := range []string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=secret:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://secret",
		"OTEL_EXPORTER_OTLP_HEADERS=secret", "OTEL_EXPORTER_OTLP_HEADERS=a=%secret", "OTEL_EXPORTER_OTLP_HEADERS=se cret=a",
		"OTEL_EXPORTER_OTLP_HEADERS=a=b%0asecret",
		"OTEL_EXPORTER_OTLP_TIMEOUT=secret", "OTEL_EXPORTER_OTLP_TIMEOUT=-1",
		"OTEL_EXPORTER_OTLP_COMPRESSION=secret", "OTEL_EXPORTER_OTLP_CERTIFICATE=/nowhere/secret",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/nowhere/secret", "OTEL_SDK_DISABLED=secret", "OTEL_PROPAGATORS=tracecontext,secret",
		"OTEL_TRACES_SAMPLER=secret", "OTEL_RESOURCE_ATTRIBUTES=secret", "OTEL_RESOURCE_ATTRIBUTES=a=%secret",
		"OTEL_BSP_MAX_QUEUE_SIZE=secret", "OTEL_BSP_MAX_QUEUE_SIZE=0", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=99999999", "OTEL_BSP_SCHEDULE_DELAY=1s",
		"OTEL_SPAN_EVENT_COUNT_LIMIT=-1",
	} {
		s, mistakes := Load([]string{aCollector, entry})
		name, _, _ := strings.Cut(entry, "=")
		if len(mistakes) != 1 || !strings.HasPrefix(mistakes[0], name+": ") || strings.Contains(mistakes[0], "secret") {
			t.Errorf("%s: mistakes %q", entry, mistakes)
		}
		s.TLS, plain.TLS = nil, nil
		if got, want := fmt.Sprint(s), fmt.Sprint(plain); got != want {
			t.Errorf("%s: %s, want %s", entry, got, want)
		}
	}
}

// With what is not spoken, traces are off rather than sent to nobody who understands them.
func TestLoad_OtherProtocolsAndExportersAreOff(t *testing.T) {
	for _, entry := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json", "OTEL_TRACES_EXPORTER=zipkin"} {
		s, mistakes := Load([]string{aCollector, entry})
		if s.On() || len(mistakes) != 1 {
			t.Errorf("%s: on %v, mistakes %q", entry, s.On(), mistakes)
		}
	}
}

func TestLoad_Headers(t *testing.T) {
	s, mistakes := Load([]string{
		aCollector, "OTEL_EXPORTER_OTLP_HEADERS=ignored=1",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=api-key=a%20b%3D, Authorization=Basic c29tZQ==",
	})
	if want := map[string]string{"api-key": "a b=", "Authorization": "Basic c29tZQ=="}; !maps.Equal(s.Headers, want) || len(mistakes) > 0 {
		t.Errorf("headers %q, mistakes %q", s.Headers, mistakes)
	}
}

func TestLoad_Sampler(t *testing.T) {
	for name, want := range map[string]string{
		"":                         "ParentBased{root:AlwaysOnSampler",
		"always_on":                "AlwaysOnSampler",
		"always_off":               "AlwaysOffSampler",
		"traceidratio":             "TraceIDRatioBased{0.25}",
		"parentbased_always_on":    "ParentBased{root:AlwaysOnSampler",
		"parentbased_always_off":   "ParentBased{root:AlwaysOffSampler",
		"parentbased_traceidratio": "ParentBased{root:TraceIDRatioBased{0.25}",
	} {
		s, mistakes := Load([]string{aCollector, "OTEL_TRACES_SAMPLER=" + name, "OTEL_TRACES_SAMPLER_ARG=0.25"})
		if got := s.Sampler.Description(); !strings.HasPrefix(got, want) || len(mistakes) > 0 {
			t.Errorf("%s: %s, mistakes %q", name, got, mistakes)
		}
	}
	s, mistakes := Load([]string{aCollector, "OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=2"})
	if s.Sampler.Description() != "TraceIDRatioBased{1}" || len(mistakes) != 1 {
		t.Errorf("%s, mistakes %q", s.Sampler.Description(), mistakes)
	}
}

func TestLoad_Resource(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    []string
	}{
		{nil, []string{"service.name=outrigger"}},
		{[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=a,deployment.environment=x%2Cy"}, []string{"deployment.environment=x,y", "service.name=a"}},
		{[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=a", "OTEL_SERVICE_NAME=b"}, []string{"service.name=b"}},
	} {
		s, _ := Load(append([]string{aCollector}, c.environ...))
		var got []string
		for _, a := range s.Resource {
			got = append(got, string(a.Key)+"="+a.Value.AsString())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.environ, got, c.want)
		}
	}
}

func TestLoad_Batch(t *testing.T) {
	s, _ := Load([]string{aCollector})
	if want := (Batch{2048, 512, 5 * time.Second, 30 * time.Second}); s.Batch != want || s.Timeout != 10*time.Second || !s.Join || s.Gzip {
		t.Errorf("%+v, timeout %s, join %v, gzip %v", s.Batch, s.Timeout, s.Join, s.Gzip)
	}
	s, _ = Load([]string{
		aCollector, "OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_SCHEDULE_DELAY=50", "OTEL_BSP_EXPORT_TIMEOUT=60",
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=70", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_PROPAGATORS=none", "OTEL_SPAN_EVENT_COUNT_LIMIT=7",
	})
	if want := (Batch{100, 100, 50 * time.Millisecond, 60 * time.Millisecond}); s.Batch != want || s.Timeout != 70*time.Millisecond || s.Join || !s.Gzip || s.Limits.EventCountLimit != 7 {
		t.Errorf("%+v, timeout %s, join %v, gzip %v, limits %+v", s.Batch, s.Timeout, s.Join, s.Gzip, s.Limits)
	}
}
