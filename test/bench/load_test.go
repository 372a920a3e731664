package bench

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is one kind of request and how many of it make a round.
type load struct {
	body, want string
	callers    int // connections, each with one request at a time
	requests   int
	events     int // of each request, where the cost of one is of interest
}

var loads = map[string]load{
	"unary":  {body: question, want: answer, callers: 16, requests: 2000},
	"stream": {body: short.Question(questionSize), want: short.Stream(), callers: 16, requests: 96},
	"events": {body: long.Question(questionSize), want: long.Stream(), callers: 16, requests: 16, events: long.Events},
}

// newClient returns a client that keeps one connection per caller.
func newClient(tb testing.TB, callers int) *http.Client {
	tb.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: callers, DisableCompression: true}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// send makes one call as an SDK would and returns the answer.
func send(tb testing.TB, client *http.Client, url, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer sk-bench")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "OpenAI/Python 3.54.0")
	request.Header.Set("X-Stainless-Retry-Count", "0")
	request.Header.Set("X-Stainless-Read-Timeout", "600")
	return client.Do(request)
}

// run makes n requests and compares every answer byte for byte: a proxy that is
// fast because it drops something must not win. It returns how many answers were
// cut off; those calls were made again.
func (l load) run(tb testing.TB, client *http.Client, url string, n int) int {
	tb.Helper()
	var left, cut atomic.Int64
	left.Store(int64(n))
	failures := make(chan error, l.callers)
	var callers sync.WaitGroup
	for range l.callers {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				err := l.once(tb, client, url)
				for ; errors.Is(err, io.ErrUnexpectedEOF); err = l.once(tb, client, url) {
					if cut.Add(1) > int64(n) {
						break
					}
				}
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	callers.Wait()
	close(failures)
	if err := <-failures; err != nil {
		tb.Fatal(err)
	}
	return int(cut.Load())
}

func (l load) once(tb testing.TB, client *http.Client, url string) error {
	response, err := send(tb, client, url, l.body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(got) != l.want {
		return fmt.Errorf("status %d and %d bytes, want 200 and %d bytes: %.200s", response.StatusCode, len(got), len(l.want), got)
	}
	return nil
}
