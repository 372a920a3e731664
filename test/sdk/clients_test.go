package sdk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"outrigger/test/process"
)

// runTimeout bounds one run of a client's script.
const runTimeout = 2 * time.Minute

// plan is what a client is to do. Nil options are the client's own defaults.
type plan struct {
	Calls      []string `json:"calls"`
	Together   bool     `json:"together,omitempty"`    // all at once, else one after another
	Timeout    *float64 `json:"timeout,omitempty"`     // seconds
	MaxRetries *int     `json:"max_retries,omitempty"` // 2 in every client
	Workers    int      `json:"workers,omitempty"`     // so many at once

	limit time.Duration // of the whole run; 0 is runTimeout
}

// outcome is what became of one call: a value or an error.
type outcome struct {
	Value   map[string]any `json:"value"`
	Error   *failure       `json:"error"`
	Seconds float64        `json:"seconds"`
}

// failure is what an application sees of an error.
type failure struct {
	Class     string            `json:"class"`
	Status    int               `json:"status"`
	Code      string            `json:"code"`
	Type      string            `json:"type"`
	Message   string            `json:"message"`
	RequestID string            `json:"request_id"`
	Headers   map[string]string `json:"headers"`
}

// client is one SDK, and the way in which an application has it call Outrigger.
type client struct {
	way     way
	command func(t *testing.T) []string
	// trusting is the environment in which it trusts the certificates in file, and no
	// other ones.
	trusting func(t *testing.T, file string) []string
	// classes names the error that the SDK raises for each status.
	classes map[int]string
	// streamError is raised for an error event in a stream.
	streamError string
}

// stainless are the class names that Python and Node share.
var stainless = map[int]string{
	424: "APIStatusError",
	429: "RateLimitError",
	500: "InternalServerError",
	503: "InternalServerError",
	504: "InternalServerError",
}

var clients = map[string]client{
	"python": {command: pythonCommand, trusting: certFile, classes: stainless, streamError: "APIError"},
	"node": {command: nodeCommand, trusting: extraCerts, classes: map[int]string{
		424: "APIError", // no class of its own
		429: stainless[429], 500: stainless[500], 503: stainless[503], 504: stainless[504],
	}, streamError: "APIError"},
	"go": {command: goCommand, trusting: certFile, classes: map[int]string{
		424: "openai.Error", 429: "openai.Error", 500: "openai.Error", 503: "openai.Error", 504: "openai.Error",
	}, streamError: "*ssestream.StreamError"},
}

// way is how an application comes to call Outrigger.
type way string

const (
	byBaseURL way = "OPENAI_BASE_URL"
	byProxy   way = "HTTPS_PROXY" // and the authority to trust; the base URL is OpenAI's
)

// certFile is for what takes its certificates from OpenSSL's variables.
func certFile(_ *testing.T, file string) []string {
	return []string{"SSL_CERT_FILE=" + file, "SSL_CERT_DIR=/nowhere"}
}

// extraCerts is for Node, which adds to its own, and which has to be told to use a
// proxy: since 22.21 and 24.5 by a variable, before that by the application.
func extraCerts(t *testing.T, file string) []string {
	t.Helper()
	return []string{
		"NODE_EXTRA_CA_CERTS=" + file, "NODE_USE_ENV_PROXY=1",
		"NODE_OPTIONS=--import=" + filepath.Join(root(t), "test/sdk/node/behind.mjs"),
	}
}

// eachClient runs the check once per SDK and way, side by side: each has a world of its
// own, and mostly waits.
func eachClient(t *testing.T, check func(*testing.T, client)) {
	t.Helper()
	for name, c := range clients {
		for _, by := range []way{byBaseURL, byProxy} {
			t.Run(name+" by "+string(by), func(t *testing.T) {
				t.Parallel()
				called := c
				called.way = by
				check(t, called)
			})
		}
	}
}

func pythonCommand(t *testing.T) []string {
	t.Helper()
	python := os.Getenv("SDK_PYTHON")
	if python == "" {
		python = filepath.Join(root(t), ".tools/python/bin/python")
	}
	if output, err := exec.CommandContext(t.Context(), python, "-c", "import openai").CombinedOutput(); err != nil {
		process.Missing(t, "no openai package for Python at %s (make python fetches it): %v %s", python, err, output)
	}
	return []string{python, filepath.Join(root(t), "test/sdk/python/client.py")}
}

func nodeCommand(t *testing.T) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		process.Missing(t, "no node: %v", err)
	}
	directory := filepath.Join(root(t), "test/sdk/node")
	if _, err := os.Stat(filepath.Join(directory, "node_modules/openai")); err != nil {
		process.Missing(t, "no openai package for Node (make node fetches it): %v", err)
	}
	return []string{node, filepath.Join(directory, "client.mjs")}
}

// goClient is built once; TestMain removes it.
var goClient = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "outrigger-sdk-go-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(directory, "client")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = "go"
	output, err := build.CombinedOutput()
	if err != nil {
		return string(output), err
	}
	return path, nil
})

func goCommand(t *testing.T) []string {
	t.Helper()
	path, err := goClient()
	if err != nil {
		process.Missing(t, "cannot build the Go client: %v\n%s", err, path)
	}
	return []string{path}
}

func TestMain(m *testing.M) {
	status := m.Run()
	process.Remove()
	if path, err := goClient(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// run has the client carry out the plan in the world, in its way, and returns an
// outcome per call.
func (c client) run(t *testing.T, w *world, p plan) []outcome {
	t.Helper()
	if c.way == byBaseURL {
		return c.call(t, []string{"OPENAI_BASE_URL=" + w.base()}, p)
	}
	return c.call(t, append(c.trusting(t, w.authority), "HTTPS_PROXY="+w.traffic), p)
}

// call has the client carry out the plan in that environment.
func (c client) call(t *testing.T, environment []string, p plan) []outcome {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	words := c.command(t) // may build the client: not within runTimeout
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(p.limit, runTimeout))
	defer cancel()
	script := exec.CommandContext(ctx, words[0], words[1:]...)
	script.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "OPENAI_API_KEY=" + key}, environment...)
	var problems bytes.Buffer
	script.Stdin, script.Stderr = bytes.NewReader(text), &problems
	output, err := script.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", words, err, problems.String())
	}
	var result struct {
		Version  string    `json:"version"`
		Outcomes []outcome `json:"outcomes"`
	}
	if err := json.Unmarshal(output, &result); err != nil {
		t.Fatalf("%v printed %q: %v", words, output, err)
	}
	if len(result.Outcomes) != len(p.Calls) {
		t.Fatalf("%d outcomes for %d calls", len(result.Outcomes), len(p.Calls))
	}
	t.Log(result.Version)
	return result.Outcomes
}

func root(t *testing.T) string {
	t.Helper()
	directory, err := process.Root()
	if err != nil {
		t.Fatal(err)
	}
	return directory
}
