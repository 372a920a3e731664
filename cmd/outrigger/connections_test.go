package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/internal/config"
)

func TestConnectionsAreBoundedByWhatIsThere(t *testing.T) {
	const mebibyte = 1 << 20
	for name, tt := range map[string]struct {
		descriptors    int
		memory, bodies int64
		want           int
	}{
		"nothing is known":          {0, 0, 256 * mebibyte, 16384},
		"plenty":                    {1 << 20, 0, 256 * mebibyte, 16384},
		"the usual hard limit":      {1 << 20, 200 * mebibyte, 64 * mebibyte, 1109}, // k8s/deployment.yaml
		"a shell's limit":           {1024, 0, 256 * mebibyte, 464},
		"few descriptors":           {256, 0, 256 * mebibyte, 104},
		"none to speak of":          {32, 0, 256 * mebibyte, 16},
		"bodies may take all":       {1 << 20, 256 * mebibyte, 256 * mebibyte, 682},
		"hardly any memory":         {1 << 20, 1 * mebibyte, 256 * mebibyte, 16},
		"more memory than needed":   {1 << 20, 1 << 40, 256 * mebibyte, 16384},
		"both, and the lower holds": {256, 1 << 40, 256 * mebibyte, 104},
	} {
		if got := connectionsFor(tt.descriptors, tt.memory, tt.bodies); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	if got := maxConnections(&config.Config{Settings: config.Settings{MaxConnections: 7}}); got != 7 {
		t.Errorf("%d connections where the operator says 7", got)
	}
}

func TestCheckTellsHowManyConnectionsThereMayBe(t *testing.T) {
	want := fmt.Sprintf("connections of callers %d of descriptors and memory here", maxConnections(&config.Config{}))
	for variable, told := range map[string]bool{"OUTRIGGER_MAX_CONNECTIONS=0": true, "OUTRIGGER_MAX_CONNECTIONS=7": false} {
		got := runWith(t, []string{"check"}, []string{variable, "OUTRIGGER_MEMORY_MAX=256MiB"})
		if strings.Contains(strings.Join(strings.Fields(got.Stdout), " "), want) != told {
			t.Errorf("%s: %s%s", variable, got.Stdout, got.Stderr)
		}
	}
}

// idlers are ways to hold a connection without a request, or without reading the answer.
var idlers = map[string]string{
	"that say nothing":             "",
	"that were answered once":      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"with half a request's head":   "GET /metrics HTTP/1.1\r\nHost: localh",
	"that read nothing":            strings.Repeat("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
	"with half of a TLS handshake": "\x16\x03\x01\x02\x00\x01",
}

// hold opens n connections to address and sends each text.
func hold(t *testing.T, address, text string, n int) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() { _, _ = io.WriteString(c, text) }() // until nothing more is taken of it
	}
}

func TestConnectionsToTheAdminListenerKeepNoProbeAway(t *testing.T) {
	upstream, _ := newStreams(t)
	for name, text := range idlers {
		t.Run(name, func(t *testing.T) {
			p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream)
			hold(t, p.admin, text, maxAdminConnections+20)
			for range 3 {
				if code, body := get(t, "http://"+p.admin+"/readyz"); code != 200 {
					t.Errorf("a probe is answered %d %s", code, body)
				}
			}
		})
	}
}

func TestIdleConnectionsKeepNoCallerAway(t *testing.T) {
	upstream, release := newStreams(t)
	for name, text := range idlers {
		if name == "that read nothing" { // those are requests, and not idle
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_MAX_CONNECTIONS=20")
			streams := openStreams(t, p.traffic, 10, http1)
			hold(t, p.traffic, text, 40)
			if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 {
				t.Errorf("a caller is answered %d %s", code, body)
			}
			release()
			for i, s := range streams {
				if text, err := s.rest(); err != nil || text != lastEvents {
					t.Errorf("stream %d ended with %q, %v", i, text, err)
				}
			}
		})
	}
}

// Streams over one HTTP/2 connection take a descriptor each, towards the upstream.
func TestWithoutDescriptorsCallersAreToldAndProbesAnswered(t *testing.T) {
	upstream, release := newStreams(t)
	p := startCommand(t, exec.Command("sh", "-c", `ulimit -n 64 && exec "$0"`, os.Args[0]),
		"OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_RETRY_MAX=1", "OUTRIGGER_BREAKER_CONSECUTIVE=3")
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: patience}
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for range 100 {
		all.Go(func() {
			r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+p.traffic+"/v1/chat/completions",
				strings.NewReader(`{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
			response, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			kind := fmt.Sprint(response.StatusCode)
			if response.StatusCode != http.StatusOK {
				body, _ := io.ReadAll(response.Body)
				if strings.Contains(string(body), `"resources_exhausted"`) && strings.Contains(string(body), "ulimit -n") {
					kind = "told"
				}
			}
			mu.Lock()
			got[kind]++
			mu.Unlock()
			_, _ = io.Copy(io.Discard, response.Body)
		})
	}
	told := func() int {
		mu.Lock()
		defer mu.Unlock()
		return got["told"]
	}
	deadline := time.Now().Add(patience)
	for begun := told(); told() < 20 && time.Now().Before(deadline); begun = told() { // of 100 at the least 36 find no descriptor
		if code, body := get(t, "http://"+p.admin+"/readyz"); code != 200 {
			t.Errorf("with %d told, a probe is answered %d %s", begun, code, body)
		}
	}
	release()
	all.Wait()
	if len(got) != 2 || got["200"] == 0 || got["200"]+got["told"] != 100 {
		t.Errorf("the callers got %v, want streams and resources_exhausted alone", got)
	}
	_, metrics := get(t, "http://"+p.admin+"/metrics")
	if !strings.Contains(metrics, `outrigger_breaker_state{scope="all",upstream="test"} 0`) || !strings.Contains(metrics, `outcome="starved"`) {
		t.Error("the breaker does not stay closed")
	}
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 {
		t.Errorf("after that a caller is answered %d %s", code, body)
	}
}
