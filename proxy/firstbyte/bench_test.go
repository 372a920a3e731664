package firstbyte

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What the first byte costs a connection and a request, beside a plain listener in
// the same run.
func BenchmarkListener(b *testing.B) {
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"plain": func(l net.Listener) net.Listener { return l },
		"firstbyte": func(l net.Listener) net.Listener {
			return New(l, Options{Patience: time.Minute, TLS: &tls.Config{}})
		},
	} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(wrap(inner)) }()
		for kind, fresh := range map[string]bool{"request": false, "connection": true} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				transport := &http.Transport{DisableKeepAlives: fresh}
				defer transport.CloseIdleConnections()
				for b.Loop() {
					r, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://"+inner.Addr().String(), strings.NewReader("{}"))
					response, err := transport.RoundTrip(r)
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			})
		}
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	}
}
