package proxy_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// Outrigger's request path in a server of your own. The upstream is overloaded once;
// the caller sees only the answer.
func ExampleNew() {
	calls := 0
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			http.Error(w, "try again", http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"object":"chat.completion"}`)
	}))
	defer upstream.Close()

	to := proxy.DefaultUpstream()
	to.Name = "openai"
	to.URL, _ = url.Parse(upstream.URL)
	config := proxy.DefaultConfig()
	config.Upstreams = []settings.Upstream{to}
	config.Retry.Base = time.Millisecond
	handler, err := proxy.New(config, proxy.Deps{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()

	answer, err := http.Post(server.URL+"/v1/chat/completions", "application/json",
		strings.NewReader(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, string(body))
	fmt.Println("attempts:", answer.Header.Get("X-Outrigger-Attempts"))
	// Output:
	// 200 {"object":"chat.completion"}
	// attempts: 2
}
