package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The versions of HTTP that the traffic listener serves.
var (
	http1 = (*http.Protocols).SetHTTP1
	http2 = (*http.Protocols).SetUnencryptedHTTP2
)

// newClient returns a client that speaks the version of HTTP that set picks.
func newClient(set func(*http.Protocols, bool)) *http.Client {
	protocols := new(http.Protocols)
	set(protocols, true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: 20_000, DisableCompression: true}}
}

// result is what a caller got.
type result struct {
	status int
	header http.Header
	text   []byte
	err    error // of the exchange; an answer that was cut has a status too
}

// send makes one call. A length of -1 is not announced.
func send(ctx context.Context, client *http.Client, base string, b body, announced bool) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+b.path(), io.NopCloser(b.reader()))
	if err != nil {
		return result{err: err}
	}
	request.Header.Set("Content-Type", b.contentType())
	request.Header.Set("Authorization", "Bearer sk-crowd")
	request.Header.Set(idHeader, strconv.Itoa(b.id))
	request.ContentLength = -1
	if announced {
		request.ContentLength = b.length()
	}
	return do(client, request)
}

func do(client *http.Client, request *http.Request) result {
	response, err := client.Do(request)
	if err != nil {
		return result{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return result{response.StatusCode, response.Header, text, err}
}

// ownErrors are the errors that Outrigger writes: code to status and type.
var ownErrors = map[string]struct {
	status int
	kind   string
}{
	"bad_request":          {400, "invalid_request_error"},
	"request_too_large":    {413, "invalid_request_error"},
	"upstream_ambiguous":   {424, "api_connection_error"},
	"local_rate_limit":     {429, "rate_limit_error"},
	"upstream_unreachable": {502, "api_connection_error"},
	"upstream_broke":       {502, "api_connection_error"},
	"circuit_open":         {503, "server_error"},
	"spool_full":           {503, "server_error"},
	"resources_exhausted":  {503, "server_error"},
	"draining":             {503, "server_error"},
	"upstream_timeout":     {504, "timeout_error"},
}

// ownError returns the code of an answer that Outrigger wrote, or what is wrong
// with it.
func (r result) ownError() (string, error) {
	if r.err != nil {
		return "", r.err
	}
	var shape struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal(r.text, &shape); err != nil {
		return "", fmt.Errorf("status %d, body %.200q: %w", r.status, r.text, err)
	}
	code, _ := shape.Error["code"].(string)
	want, known := ownErrors[code]
	message, _ := shape.Error["message"].(string)
	delete(shape.Error, "message")
	switch h := r.header; {
	case !known || want.status != r.status || message == "",
		!reflect.DeepEqual(shape.Error, map[string]any{"type": want.kind, "param": nil, "code": code}),
		h.Get("Content-Type") != "application/json", h.Get("X-Outrigger-Source") != "local",
		h.Get("X-Request-Id") == "" || h.Get("X-Request-Id") != h.Get("X-Outrigger-Request-Id"):
		return code, fmt.Errorf("status %d, header %v, body %s: not an error of the table", r.status, h, r.text)
	}
	return code, r.retryTold(code)
}

// retryTold checks what the answer says about coming back.
func (r result) retryTold(code string) error {
	after := r.header.Get("Retry-After")
	seconds, err := strconv.Atoi(after)
	if after != "" && (err != nil || seconds < 1 || seconds > 60) {
		return fmt.Errorf("%s: Retry-After %q", code, after)
	}
	if after == "" && (code == "spool_full" || code == "resources_exhausted" || code == "draining") {
		return fmt.Errorf("%s: no Retry-After", code)
	}
	untried := r.header.Get("X-Outrigger-Attempts") == "0" && !strings.Contains(string(r.text), "no wait would let it pass")
	mayPass := slices.Contains([]string{"local_rate_limit", "circuit_open", "draining", "spool_full", "resources_exhausted"}, code)
	if got := r.header.Get("X-Should-Retry"); untried && mayPass && got != "" {
		return fmt.Errorf("%s without an attempt: x-should-retry %q", code, got)
	}
	return nil
}

// wait waits for d, or for the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
