package cost

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/process"
	"outrigger/test/bench/traffic"
)

// promptSize makes a call of 1 KB.
const promptSize = 800

// Direct is the name of the calls that go straight to the upstream.
const Direct = "direct"

// subject is what a load is sent through.
type subject struct {
	name     string
	endpoint peers.Endpoint
	process  *process.Process // nil for Direct
	client   *http.Client
	question string
}

func newSubject(name string, endpoint peers.Endpoint, p *process.Process) *subject {
	transport := &http.Transport{MaxIdleConnsPerHost: 20_000, DisableCompression: true}
	return &subject{
		name: name, endpoint: endpoint, process: p, client: &http.Client{Transport: transport},
		question: endpoint.Named(traffic.Question(promptSize)),
	}
}

func (s *subject) close() { s.client.CloseIdleConnections() }

// post makes one call as an SDK would.
func (s *subject) post(ctx context.Context, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer sk-bench")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "OpenAI/Python 3.54.0")
	r.Header.Set("X-Stainless-Retry-Count", "0")
	r.Header.Set("X-Stainless-Read-Timeout", "600")
	for name, value := range s.endpoint.Header {
		r.Header.Set(name, value)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		_ = response.Body.Close()
		return nil, fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	return response, nil
}

// ask makes one call and checks that its answer is all there. Gateways write the JSON anew,
// so only what it says is compared.
func (s *subject) ask(ctx context.Context) error {
	response, err := s.post(ctx, s.question)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), traffic.Reply) {
		return fmt.Errorf("an answer of %d bytes without the reply: %.200s", len(text), text)
	}
	return nil
}

// warm makes calls until one succeeds, and then some more.
func (s *subject) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := s.ask(ctx)
	for ; err != nil && ctx.Err() == nil; err = s.ask(ctx) {
		rest(ctx, 200*time.Millisecond)
	}
	return err
}
