package sim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outrigger/internal/sim/meter"
)

// discardWriter answers into nothing.
type discardWriter struct{ header http.Header }

func (d discardWriter) Header() http.Header         { return d.header }
func (d discardWriter) WriteHeader(int)             {}
func (d discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d discardWriter) Flush()                      {}

func BenchmarkHandler(b *testing.B) {
	for name, body := range map[string]string{"type:json": chatBody, "type:stream": streamBody} {
		b.Run(name, func(b *testing.B) {
			s := New(Config{Limits: []meter.Limit{{RPM: 1e9, TPM: 1e9}}})
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer sk-test")
				s.ServeHTTP(discardWriter{http.Header{}}, r)
			}
		})
	}
}

// BenchmarkServer includes the client, on the same processors.
func BenchmarkServer(b *testing.B) {
	for name, body := range map[string]string{"type:json": chatBody, "type:stream": streamBody} {
		b.Run(name, func(b *testing.B) {
			s := New(Config{Limits: []meter.Limit{{RPM: 1e9, TPM: 1e9}}})
			defer s.Close()
			base, err := s.Start("127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			transport := &http.Transport{MaxIdleConnsPerHost: 100}
			defer transport.CloseIdleConnections()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, err := http.NewRequestWithContext(b.Context(), "POST", base+"/chat/completions", strings.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					r.Header.Set("Authorization", "Bearer sk-test")
					resp, err := transport.RoundTrip(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
