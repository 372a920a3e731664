package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// newHandler returns a handler on listen that counts one request and is ready if told.
func newHandler(listen string, ready bool) http.Handler {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "outrigger_test_total", Help: "A count."})
	counter.Inc()
	registry.MustRegister(counter)
	return New(Options{
		Listen:  listen,
		Ready:   func() bool { return ready },
		Metrics: registry,
		Status:  func() any { return map[string]int{"inflight": 3} },
		Config:  []map[string]string{{"variable": "OUTRIGGER_LISTEN", "value": "127.0.0.1:8383"}},
	})
}

// reply is what a test compares of an answer.
type reply struct {
	Status      int
	ContentType string
	Body        string
}

func ask(t *testing.T, h http.Handler, method, target string, header http.Header) (reply, http.Header) {
	t.Helper()
	r := httptest.NewRequest(method, target, http.NoBody)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{w.Code, w.Header().Get("Content-Type"), string(body)}, w.Header()
}

const (
	local = "127.0.0.1:8384"
	all   = "0.0.0.0:8384"
	text  = "text/plain; charset=utf-8"
)

func TestPathsAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		path  string
		ready bool
		want  reply
	}{
		"alive":                 {"/healthz", true, reply{200, text, "ok\n"}},
		"alive while draining":  {"/healthz", false, reply{200, text, "ok\n"}},
		"ready":                 {"/readyz", true, reply{200, text, "ok\n"}},
		"not ready":             {"/readyz", false, reply{503, text, "draining\n"}},
		"status":                {"/status.json", true, reply{200, "application/json", "{\n  \"inflight\": 3\n}\n"}},
		"configuration":         {"/config", true, reply{200, "application/json", "[\n  {\n    \"value\": \"127.0.0.1:8383\",\n    \"variable\": \"OUTRIGGER_LISTEN\"\n  }\n]\n"}},
		"nothing at the root":   {"/", true, reply{404, text, "404 page not found\n"}},
		"nothing elsewhere":     {"/v1/models", true, reply{404, text, "404 page not found\n"}},
		"nothing below a path":  {"/healthz/x", true, reply{404, text, "404 page not found\n"}},
		"no profiles by chance": {"/debug/pprof/", true, reply{404, text, "404 page not found\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := ask(t, newHandler(local, tt.ready), "GET", "http://"+local+tt.path, nil); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestMetricsAreThoseOfTheGatherer(t *testing.T) {
	got, _ := ask(t, newHandler(local, true), "GET", "http://"+local+"/metrics", nil)
	if got.Status != 200 || !strings.Contains(got.Body, "\noutrigger_test_total 1\n") || strings.Contains(got.Body, "go_goroutines") {
		t.Errorf("got %+v, want the one counter and nothing of the default registry", got)
	}
}

func TestOnlyGetAndHeadAreAnswered(t *testing.T) {
	for method, want := range map[string]int{
		"GET": 200, "HEAD": 200,
		"POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405, "OPTIONS": 405, "TRACE": 405, "PURGE": 405, "get": 405,
	} {
		for _, path := range []string{"/healthz", "/metrics", "/config"} {
			got, header := ask(t, newHandler(local, true), method, "http://"+local+path, nil)
			if got.Status != want || want == 405 && header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q, want %d", method, path, got.Status, header.Get("Allow"), want)
			}
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	want := http.Header{
		"X-Content-Type-Options":       {"nosniff"},
		"X-Frame-Options":              {"DENY"},
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Referrer-Policy":              {"no-referrer"},
		"Cache-Control":                {"no-store"},
	}
	for _, target := range []string{"/healthz", "/readyz", "/metrics", "/status.json", "/config", "/nothing", "http://evil.example/config"} {
		for _, method := range []string{"GET", "POST"} {
			_, header := ask(t, newHandler(local, false), method, target, nil)
			got := http.Header{}
			for name := range want {
				got[name] = header[name]
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s: %v, want %v", method, target, got, want)
			}
		}
	}
}

func TestAStatusThatCannotBeEncodedIsAnError(t *testing.T) {
	h := New(Options{Listen: local, Status: func() any { return func() {} }, Metrics: prometheus.NewRegistry()})
	got, _ := ask(t, h, "GET", "http://"+local+"/status.json", nil)
	if want := (reply{500, text, "cannot encode: json: unsupported type: func()\n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigurationIsValidJSON(t *testing.T) {
	got, _ := ask(t, newHandler(local, true), "GET", "http://"+local+"/config", nil)
	if !json.Valid([]byte(got.Body)) {
		t.Errorf("not JSON: %s", got.Body)
	}
}
