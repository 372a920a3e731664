package demo

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// What OpenAI's SDKs do by default, in all the languages that are generated from
// one template (openai-python _base_client.py, openai-node client.ts): two retries
// after 408, 409, 429, 5xx and lost connections, 0.5 s doubled to at most 8 s and
// up to a quarter less, a Retry-After of at most 60 s instead, and x-should-retry
// before all of that.
const (
	sdkRetries    = 2
	sdkFirst      = 500 * time.Millisecond
	sdkLast       = 8 * time.Second
	sdkRetryAfter = 60 * time.Second
)

// client calls one side as an SDK would.
type client struct {
	base string // with /v1
	http *http.Client
}

func newClient(base string) *client {
	return &client{base: base, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: max(total, crowd)}}}
}

// post sends one call, with retries, and returns the last answer. The id marks all
// tries of the call for the simulator's ledger.
func (c *client) post(ctx context.Context, id, path, contentType string, body []byte) (*http.Response, error) {
	for try := 0; ; try++ {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer sk-demo")
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-Sim-Request", id)
		r.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(try))
		resp, err := c.http.Do(r)
		if try == sdkRetries || !worthRetrying(resp, err) {
			return resp, err
		}
		wait := backoff(resp, try)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// worthRetrying is the SDKs' rule.
func worthRetrying(resp *http.Response, err error) bool {
	if err != nil {
		return true
	}
	switch resp.Header.Get("X-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return resp.StatusCode >= http.StatusInternalServerError
}

// backoff is how long the SDKs wait after try number n.
func backoff(resp *http.Response, n int) time.Duration {
	if resp != nil {
		ms, err := strconv.ParseFloat(resp.Header.Get("Retry-After-Ms"), 64)
		if err != nil {
			ms, err = strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
			ms *= 1000
		}
		if wait := time.Duration(ms * float64(time.Millisecond)); err == nil && wait > 0 && wait <= sdkRetryAfter {
			return wait
		}
	}
	wait := min(sdkFirst<<n, sdkLast)
	return wait - time.Duration(rand.Float64()*float64(wait)/4)
}

func (c *client) close() { c.http.CloseIdleConnections() }
