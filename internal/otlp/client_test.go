package otlp

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// upload sends one span to a collector that answers with what respond writes, and returns the
// error.
func upload(t *testing.T, collector *httptest.Server, variables ...string) error {
	t.Helper()
	s, mistakes := Load(append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}, variables...))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	c := NewClient(s, nil)
	defer func() { _ = c.Stop(context.Background()) }()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c.UploadTraces(t.Context(), []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: "a span"}}}}}})
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func TestClient_SendsProtobufWithTheHeadersOfTheEnvironment(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		var got tracepb.TracesData
		var header http.Header
		var path string
		collector := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			header, path = r.Header, r.URL.Path
			var body io.Reader = r.Body
			if r.Header.Get("Content-Encoding") == "gzip" {
				body, _ = gzip.NewReader(r.Body)
			}
			data, err := io.ReadAll(body)
			if err != nil {
				t.Error(err)
			}
			if err := proto.Unmarshal(data, &got); err != nil {
				t.Error(err)
			}
		})
		if err := upload(t, collector, "OTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b", "OTEL_EXPORTER_OTLP_COMPRESSION="+compression); err != nil {
			t.Error(err)
		}
		if got.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName() != "a span" {
			t.Errorf("collector got %v", &got)
		}
		if path != "/v1/traces" || header.Get("Api-Key") != "a b" || header.Get("Content-Type") != "application/x-protobuf" || (header.Get("Content-Encoding") == "gzip") != (compression == "gzip") {
			t.Errorf("%s, %v", path, header)
		}
	}
}

func TestClient_RetriesOnlyWhatMayHelp(t *testing.T) {
	for status, want := range map[int]int{200: 1, 503: 2, 429: 2, 502: 2, 504: 2, 500: 1, 400: 1, 401: 1, 404: 1, 301: 1} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			calls := 0
			collector := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls == 1 {
					w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
					w.WriteHeader(status)
				}
			})
			err := upload(t, collector)
			if calls != want {
				t.Errorf("%d requests, want %d", calls, want)
			}
			if (err == nil) != (status == 200 || want > 1) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// What cannot be sent fails within the timeout, with an error that quotes neither URL nor
// headers.
func TestClient_GivesUpAtTheTimeout(t *testing.T) {
	collector := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	err := upload(t, collector, "OTEL_EXPORTER_OTLP_TIMEOUT=50", "OTEL_EXPORTER_OTLP_HEADERS=api-key=secret")
	if err == nil || err.Error() != "the collector answered with status 503" {
		t.Errorf("error %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	gone.URL = strings.Replace(gone.URL, "//", "//user:secret@", 1)
	if err := upload(t, gone, "OTEL_EXPORTER_OTLP_TIMEOUT=50"); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "traces") {
		t.Errorf("error %v", err)
	}
}

// A collector may take a request and say that it rejected some of its spans.
func TestClient_TellsOfRejectedSpans(t *testing.T) {
	partial := protowire.AppendVarint(protowire.AppendTag(nil, rejectedSpans, protowire.VarintType), 7)
	partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), "no room")
	answer := protowire.AppendBytes(protowire.AppendTag(nil, partialSuccess, protowire.BytesType), partial)
	for _, c := range []struct {
		answer string
		want   RejectedError
	}{{string(answer), 7}, {"", 0}, {"{}", 0}, {string(answer[:3]), 0}, {"\x0a\x00", 0}} {
		collector := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) })
		err := upload(t, collector)
		var got RejectedError
		if errors.As(err, &got); got != c.want || (err == nil) != (c.want == 0) {
			t.Errorf("%q: %v, want %d", c.answer, err, c.want)
		}
	}
}

// The certificate of a collector is checked against the file that a variable names.
func TestClient_TrustsTheCertificateOfTheEnvironment(t *testing.T) {
	collector := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	collector.Config.ErrorLog = log.New(io.Discard, "", 0)
	collector.StartTLS()
	defer collector.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: collector.Certificate().Raw})
	if err := os.WriteFile(file, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := upload(t, collector, "OTEL_EXPORTER_OTLP_CERTIFICATE="+file); err != nil {
		t.Error(err)
	}
	if err := upload(t, collector, "OTEL_EXPORTER_OTLP_TIMEOUT=50"); err == nil {
		t.Error("an unknown certificate was trusted")
	}
}
