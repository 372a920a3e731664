// Command go makes the calls that the plan on standard input names, with the openai-go
// module as an application would, and prints one JSON object: the version and one
// outcome per call.
//
// Nothing here knows of Outrigger: the client reads OPENAI_BASE_URL and OPENAI_API_KEY.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

type plan struct {
	Calls      []string `json:"calls"`
	Together   bool     `json:"together"`
	Workers    int      `json:"workers"`
	Timeout    *float64 `json:"timeout"` // seconds
	MaxRetries *int     `json:"max_retries"`
}

type outcome struct {
	Value   any      `json:"value,omitempty"`
	Error   *failure `json:"error,omitempty"`
	Seconds float64  `json:"seconds"`
}

type failure struct {
	Class     string            `json:"class"`
	Status    int               `json:"status,omitempty"`
	Code      string            `json:"code,omitempty"`
	Type      string            `json:"type,omitempty"`
	Message   string            `json:"message"`
	RequestID string            `json:"request_id,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return err
	}
	var options []option.RequestOption
	if p.Timeout != nil {
		options = append(options, option.WithRequestTimeout(time.Duration(*p.Timeout*float64(time.Second))))
	}
	if p.MaxRetries != nil {
		options = append(options, option.WithMaxRetries(*p.MaxRetries))
	}
	client := openai.NewClient(options...)

	workers := max(p.Workers, 1)
	if p.Together {
		workers = len(p.Calls)
	}
	outcomes := make([]outcome, len(p.Calls))
	var next atomic.Int64
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(p.Calls)); i = next.Add(1) - 1 {
				outcomes[i] = try(client, p.Calls[i])
			}
		})
	}
	running.Wait()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"version": version(), "outcomes": outcomes})
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == "github.com/openai/openai-go/v3" {
			return "openai-go " + m.Version + ", " + runtime.Version()
		}
	}
	return "unknown"
}

// try makes a call: a function's name, with what the upstream is to do behind an @.
func try(client openai.Client, text string) outcome {
	start := time.Now()
	name, user, _ := strings.Cut(text, "@")
	call, ok := calls[name]
	if stream, isStream := streams[name]; isStream {
		call, ok = func(ctx context.Context, client openai.Client) (any, error) { return stream(ctx, client, user) }, true
	}
	if !ok {
		return outcome{Error: &failure{Class: "unknown call", Message: name}}
	}
	value, err := call(context.Background(), client)
	o := outcome{Value: value, Seconds: time.Since(start).Seconds()}
	if err != nil {
		o.Value, o.Error = nil, describe(err)
	}
	return o
}

// describe reports an untyped error too: that is a finding.
func describe(err error) *failure {
	f := &failure{Class: fmt.Sprintf("%T", err), Message: err.Error()}
	if e, ok := errors.AsType[*openai.Error](err); ok {
		f.Class, f.Status, f.Code, f.Type, f.Message = "openai.Error", e.StatusCode, e.Code, e.Type, e.Message
		if e.Response != nil {
			f.Headers = map[string]string{}
			for k, v := range e.Response.Header {
				f.Headers[strings.ToLower(k)] = v[0]
			}
			f.RequestID = f.Headers["x-request-id"]
		}
	}
	return f
}
