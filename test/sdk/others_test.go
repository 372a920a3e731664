package sdk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/test/process"
)

// other is a client that makes one call and tells how it went.
type other struct {
	name    string // as its script knows it
	command func(t *testing.T) []string
}

var (
	aiCompatible    = other{"ai-compatible", nodeOther}
	aiOpenAI        = other{"ai-openai", nodeOther}
	langchainJS     = other{"langchain", nodeOther}
	langchain4j     = other{"langchain4j", javaOther}
	openaiNode      = other{"openai", nodeOther}
	anthropicNode   = other{"anthropic", nodeOther}
	openaiPython    = other{"openai", pythonOther}
	anthropicPython = other{"anthropic", pythonOther}
)

func nodeOther(t *testing.T) []string {
	t.Helper()
	words := nodeCommand(t)
	directory := filepath.Dir(words[1])
	for _, name := range []string{"ai", "@langchain/openai", "@anthropic-ai/sdk"} {
		if _, err := os.Stat(filepath.Join(directory, "node_modules", name)); err != nil {
			process.Missing(t, "no %s package for Node: %v", name, err)
		}
	}
	return []string{words[0], filepath.Join(directory, "others.mjs")}
}

func pythonOther(t *testing.T) []string {
	t.Helper()
	words := pythonCommand(t)
	if output, err := exec.CommandContext(t.Context(), words[0], "-c", "import anthropic").CombinedOutput(); err != nil {
		process.Missing(t, "no anthropic package for Python at %s: %v %s", words[0], err, output)
	}
	return []string{words[0], filepath.Join(filepath.Dir(words[1]), "others.py")}
}

func javaOther(t *testing.T) []string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		process.Missing(t, "no java: %v", err)
	}
	jars := filepath.Join(root(t), ".tools/java")
	if found, err := filepath.Glob(filepath.Join(jars, "langchain4j-open-ai-*.jar")); err != nil || len(found) == 0 {
		process.Missing(t, "no langchain4j at %s (make java has Maven fetch it)", jars)
	}
	return []string{java, "-cp", jars + "/*", filepath.Join(root(t), "test/sdk/java/Client.java")}
}

// report is how the one call went.
type report struct {
	Version string  `json:"version"`
	OK      bool    `json:"ok"`
	Error   string  `json:"error"`
	Seconds float64 `json:"seconds"`
}

// creating has a client's call create something: a chat that is stored, or a batch.
const creating = "CREATES=yes"

// call has the client make its call at base, with so many retries; "" is its default.
func (o other) call(t *testing.T, base, retries string, environment ...string) report {
	t.Helper()
	words := append(o.command(t), o.name, base)
	if retries != "" {
		words = append(words, retries)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, words[0], words[1:]...)
	script.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, environment...)
	var problems strings.Builder
	script.Stderr = &problems
	output, err := script.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", words, err, problems.String())
	}
	var r report
	if err := json.Unmarshal(output, &r); err != nil {
		t.Fatalf("%v printed %q: %v", words, output, err)
	}
	return r
}

// outage is an upstream that fails from its first call on.
type outage struct {
	lasts time.Duration // 0: for ever
	reset bool          // by resetting connections, not by 503

	base  string
	calls atomic.Int64
	once  sync.Once
	over  time.Time
}

func (o *outage) start(t *testing.T) *outage {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.base = server.URL
	return o
}

func (o *outage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.calls.Add(1)
	o.once.Do(func() { o.over = time.Now().Add(o.lasts) })
	w.Header().Set("Content-Type", "application/json")
	switch {
	case o.lasts > 0 && !time.Now().Before(o.over):
		_, _ = w.Write([]byte(goodAnswer(r.URL.Path)))
	case o.reset:
		hangUp(w, true)
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"error":{"message":"The server is overloaded or not ready yet.","type":"server_error","param":null,"code":null}}`))
	}
}

// goodAnswer is the least that clients take for an answer at path.
func goodAnswer(path string) string {
	if strings.HasSuffix(path, "/messages") {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{"type":"text","text":"It floats."}],` +
			`"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":3}}`
	}
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-4.1","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"It floats."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`
}
