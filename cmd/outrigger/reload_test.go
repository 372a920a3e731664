package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// awaitChange waits until reloads have changed all these variables.
func (p *process) awaitChange(names ...string) {
	p.t.Helper()
	for left := slices.Clone(names); len(left) > 0; {
		line := p.awaitLog(reloaded)
		for _, name := range line["changed"].([]any) {
			if !slices.Contains(names, name.(string)) {
				p.t.Errorf("%s changed too", name)
			}
			left = slices.DeleteFunc(left, func(l string) bool { return l == name })
		}
	}
}

// metric returns the value of a metric with its labels, as /metrics writes it.
func (p *process) metric(name string) string {
	p.t.Helper()
	_, body := get(p.t, "http://"+p.admin+"/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestSecretFiles_AreReadAgainWhenTheyChange(t *testing.T) {
	upstream, key := plainUpstream(t)
	directory := t.TempDir()
	file := func(name string) string { return filepath.Join(directory, name) }
	for name, content := range map[string]string{"key": "sk-first", "tokens": "token-first", "headers": "X-Extra=a", "query": "q=1"} {
		writeFile(t, file(name), content)
	}
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_UPSTREAM_TEST_API_KEY_FILE="+file("key"),
		"OUTRIGGER_CLIENT_TOKENS_FILE="+file("tokens"), "OUTRIGGER_UPSTREAM_TEST_HEADERS_FILE="+file("headers"), "OUTRIGGER_UPSTREAM_TEST_QUERY_FILE="+file("query"))
	want := func(token, sent string) {
		t.Helper()
		if code := status(t, p, token); code != 200 || key() != sent {
			t.Errorf("with %s: %d, the upstream got %q, want %q", token, code, key(), sent)
		}
	}
	want("token-first", "Bearer sk-first a q=1")
	for name, content := range map[string]string{"key": "sk-second", "tokens": "token-second", "headers": "X-Extra=b", "query": "q=2"} {
		writeFile(t, file(name), content)
	}
	p.awaitChange("OUTRIGGER_CLIENT_TOKENS", "OUTRIGGER_UPSTREAM_TEST_API_KEY", "OUTRIGGER_UPSTREAM_TEST_HEADERS", "OUTRIGGER_UPSTREAM_TEST_QUERY")
	want("token-second", "Bearer sk-second b q=2")
	if code := status(t, p, "token-first"); code != 401 {
		t.Errorf("the old token: %d", code)
	}

	for name, content := range map[string]string{"key": "", "tokens": "\n", "headers": "no pair", "query": strings.Repeat("x", 70<<10)} {
		before, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, file(name), content)
		if line := p.awaitLog(refused); line["level"] != "WARN" || !strings.Contains(line["error"].(string), "_"+strings.ToUpper(name)) {
			t.Errorf("%s: the log says %v", name, line)
		}
		want("token-second", "Bearer sk-second b q=2")
		writeFile(t, file(name), string(before))
		p.awaitLog(unchanged)
	}
	if err := os.Remove(file("key")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, file("tokens"), "token-third")
	p.awaitLog(refused)
	want("token-second", "Bearer sk-second b q=2") // of several files, none
	p.signal(syscall.SIGHUP)
	p.awaitLog(refused)
	writeFile(t, file("key"), "sk-third")
	p.awaitChange("OUTRIGGER_CLIENT_TOKENS", "OUTRIGGER_UPSTREAM_TEST_API_KEY")
	want("token-third", "Bearer sk-third b q=2")
	if strings.Contains(p.output(), "sk-") || strings.Contains(p.output(), "token-") {
		t.Errorf("the log holds a secret:\n%s", p.output())
	}
}

// newLimited returns the URL of an upstream like that of newStreams, which answers other calls
// at once and tells in each answer how many tokens a minute there are, and a function that tells
// which keys it saw.
func newLimited(t *testing.T) (string, func(), func() []string) {
	t.Helper()
	streams, release := newStreams(t)
	var mu sync.Mutex
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		if key := r.Header.Get("Authorization"); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		mu.Unlock()
		if strings.Contains(string(body), `"stream":true`) {
			ask, _ := http.NewRequestWithContext(r.Context(), r.Method, streams, strings.NewReader(string(body)))
			answer, err := http.DefaultTransport.RoundTrip(ask)
			if err != nil {
				return
			}
			defer answer.Body.Close()
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.Copy(flushing{w}, answer.Body)
			return
		}
		w.Header().Set("X-Ratelimit-Limit-Tokens", "6000000")
		w.Header().Set("X-Ratelimit-Remaining-Tokens", "5999000")
		w.Header().Set("X-Ratelimit-Reset-Tokens", "10ms")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, release, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(keys)
	}
}

// flushing sends each write at once.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

// swap replaces the file of a mounted Secret as Kubernetes does.
func swap(t *testing.T, mount, version, content string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(mount, version), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(mount, version, "key"), content)
	if err := os.Symlink(version, filepath.Join(mount, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
		t.Fatal(err)
	}
}

// limits returns what /status.json tells of the limits at an upstream: credential and
// dimension, limit and source.
func (p *process) limits(upstream string) map[string]string {
	p.t.Helper()
	_, body := get(p.t, "http://"+p.admin+"/status.json")
	var s struct {
		Upstreams []struct {
			Name     string
			Limiters []struct {
				Credential string
				State      struct {
					Buckets []struct {
						Dimension, Source string
						Limit             float64
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		p.t.Fatal(err)
	}
	all := map[string]string{}
	for _, u := range s.Upstreams {
		for _, l := range u.Limiters {
			for _, b := range l.State.Buckets {
				if u.Name == upstream {
					all[l.Credential+" "+b.Dimension] = fmt.Sprint(b.Limit, " ", b.Source)
				}
			}
		}
	}
	return all
}

// Under 200 open streams and a steady load: a key is rotated by its file, a limit raised, an
// upstream added and a bad configuration refused. No stream is lost, no request fails, and what
// was learned is kept.
func TestReload_UnderTwoHundredStreamsLosesNothing(t *testing.T) {
	upstream, release, keys := newLimited(t)
	second, _ := plainUpstream(t)
	mount, envFile := t.TempDir(), filepath.Join(t.TempDir(), "outrigger.env")
	swap(t, mount, "..1", "sk-first\n")
	if err := os.Symlink("..data/key", filepath.Join(mount, "key")); err != nil {
		t.Fatal(err)
	}
	upstreams := "OUTRIGGER_UPSTREAMS=test=" + upstream
	writeFile(t, envFile, "# limits\n"+upstreams+"\nOUTRIGGER_UPSTREAM_TEST_RPM=6000\nOPENAI_API_KEY=sk-the-apps\n")
	p := startProcess(t, "OUTRIGGER_ENV_FILE="+envFile, "OUTRIGGER_UPSTREAM_TEST_API_KEY_FILE="+filepath.Join(mount, "key"))
	streams := append(openStreams(t, p.traffic, 100, http1), openStreams(t, p.traffic, 100, http2)...)

	var done atomic.Bool
	var calls, failed atomic.Int64
	var load sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: patience}
	for range 4 {
		load.Go(func() {
			for !done.Load() {
				response, err := client.Post("http://"+p.traffic+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}`))
				calls.Add(1)
				if err != nil {
					failed.Add(1)
					continue
				}
				_, err = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != 200 {
					failed.Add(1)
				}
			}
		})
	}
	// several returns when some more calls were made
	several := func() {
		for until := calls.Load() + 50; calls.Load() < until && failed.Load() == 0; {
			get(t, "http://"+p.admin+"/healthz")
		}
	}
	several()
	learned := p.limits("test")

	swap(t, mount, "..2", "sk-second\n")
	p.awaitChange("OUTRIGGER_UPSTREAM_TEST_API_KEY")
	several()
	if got := keys(); !slices.Equal(got, []string{"Bearer sk-first", "Bearer sk-second"}) {
		t.Errorf("the upstream saw %d keys", len(got))
	}

	writeFile(t, envFile, upstreams+"\nexport OUTRIGGER_UPSTREAM_TEST_RPM='12000' # raised\n")
	p.signal(syscall.SIGHUP)
	p.awaitChange("OUTRIGGER_UPSTREAM_TEST_RPM")
	several()
	kept := p.limits("test")
	for name, was := range learned { // those of the first key, which nobody uses any more
		want := strings.Replace(was, "6000 configured", "12000 configured", 1)
		if kept[name] != want || len(kept) != 2*len(learned) {
			t.Errorf("before %v, after %v", learned, kept)
		}
	}
	if len(learned) != 2 {
		t.Errorf("learned were %v", learned)
	}

	both := upstreams + ",second=" + second + "\nOUTRIGGER_UPSTREAM_TEST_RPM=12000\nOUTRIGGER_FAILOVER=none\nOUTRIGGER_LOG_LEVEL=warn\n"
	if code, _ := get(t, "http://"+p.traffic+"/@second/v1/models"); code != 400 {
		t.Errorf("before it is there, the second upstream answers %d", code)
	}
	writeFile(t, envFile, both)
	p.signal(syscall.SIGHUP)
	p.awaitChange("OUTRIGGER_UPSTREAMS", "OUTRIGGER_FAILOVER", "OUTRIGGER_LOG_LEVEL")
	if code, _ := get(t, "http://"+p.traffic+"/@second/v1/models"); code != 200 {
		t.Errorf("the second upstream answers %d", code)
	}
	several()

	writeFile(t, envFile, both+"OUTRIGGER_UPSTREAM_TEST_RPM=many\nOUTRIGGER_UPSTREAM_THIRD_RPM=1\n")
	p.signal(syscall.SIGHUP)
	line := p.awaitLog(refused)
	for _, name := range []string{`OUTRIGGER_UPSTREAM_TEST_RPM="many"`, "OUTRIGGER_UPSTREAM_THIRD_RPM"} {
		if !strings.Contains(line["error"].(string), name) {
			t.Errorf("%s is not in %q", name, line["error"])
		}
	}
	several()
	code, body := get(t, "http://"+p.admin+"/readyz?verbose")
	if code != 200 || !strings.HasPrefix(body, "ok\n[-]configuration: in force since ") || !strings.Contains(body, `OUTRIGGER_UPSTREAM_TEST_RPM="many"`) {
		t.Errorf("/readyz?verbose answers %d %s", code, body)
	}
	for result, want := range map[string]string{"applied": "3", "refused": "1", "unchanged": "0"} {
		if got := p.metric(`outrigger_reloads_total{result="` + result + `"}`); got != want {
			t.Errorf("%s reloads %s, want %s", got, result, want)
		}
	}
	if _, body := get(t, "http://"+p.admin+"/config"); !strings.Contains(body, "OUTRIGGER_ENV_FILE "+envFile) || !strings.Contains(body, `"12000"`) || strings.Contains(body, `"many"`) {
		t.Errorf("/config tells %s", body)
	}

	done.Store(true)
	load.Wait()
	release()
	for i, s := range streams {
		if text, err := s.rest(); err != nil || text != lastEvents {
			t.Errorf("stream %d ended with %q, %v", i, text, err)
		}
	}
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), calls.Load())
	}
}

// What cannot change while the process runs is refused, whole, with a message that names it.
func TestReload_WhatCannotChangeIsNamed(t *testing.T) {
	upstream, _ := plainUpstream(t)
	envFile := filepath.Join(t.TempDir(), "outrigger.env")
	writeFile(t, envFile, "")
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_ENV_FILE="+envFile)
	writeFile(t, envFile, "OUTRIGGER_STORE=file:/nowhere/secret-place.db\nOUTRIGGER_MEMORY_MAX=1GiB\nOUTRIGGER_LOG_FORMAT=text\nOUTRIGGER_RPM=60\n")
	p.signal(syscall.SIGHUP)
	line := p.awaitLog(refused)
	for _, want := range []string{"OUTRIGGER_STORE: cannot change", `OUTRIGGER_MEMORY_MAX="1GiB": cannot change`, `OUTRIGGER_LOG_FORMAT="text": cannot change`} {
		if text := line["error"].(string); !strings.Contains(text, want) || strings.Contains(text, "secret-place") || strings.Contains(text, "RPM") {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if _, body := get(t, "http://"+p.admin+"/config"); strings.Contains(body, `"60"`) {
		t.Error("a part of the configuration is in force")
	}
	writeFile(t, envFile, "OUTRIGGER_LOG_LEVEL=debug\n")
	p.signal(syscall.SIGHUP)
	p.awaitChange("OUTRIGGER_LOG_LEVEL")
	if _, body := get(t, "http://"+p.admin+"/readyz?verbose"); !strings.HasPrefix(body, "ok\n[+]configuration: ") {
		t.Errorf("/readyz?verbose: %s", body)
	}
	get(t, "http://"+p.traffic+"/v1/models")
	p.awaitLog("attempt") // which only debug has
}
