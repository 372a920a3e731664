package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// maxResponse bounds what is read of a collector's answer.
	maxResponse = 64 << 10
	// firstPause is before the first retry; each later pause is twice as long.
	firstPause = time.Second
	maxPause   = 10 * time.Second
)

// client sends spans. It implements otlptrace.Client.
type client struct {
	settings  Settings
	transport *http.Transport
	http      *http.Client
}

// NewClient returns what sends spans as s says. via names the proxy on the way, as
// http.Transport.Proxy does; nil is none.
func NewClient(s Settings, via func(*http.Request) (*url.URL, error)) otlptrace.Client {
	transport := &http.Transport{
		Proxy: via, TLSClientConfig: s.TLS, ForceAttemptHTTP2: true, MaxIdleConns: 1,
		IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: maxResponse,
	}
	return &client{settings: s, transport: transport, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // its headers are not for others
	}}
}

// Start implements otlptrace.Client.
func (*client) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *client) Stop(context.Context) error {
	c.transport.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client: it sends spans, and again where the specification
// says that this may help, until the timeout.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire this is an ExportTraceServiceRequest, whose package links gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("spans cannot be encoded: %w", err)
	}
	if c.settings.Gzip {
		body = compressed(body)
	}
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		wait, err := c.post(ctx, body)
		var again *retryable
		if !errors.As(err, &again) {
			return err
		}
		if !sleep(ctx, max(wait, pause)) {
			return again.error
		}
	}
}

// sleep waits, unless ctx would end before.
func sleep(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryable is a failure after which the same spans may be sent again.
type retryable struct{ error }

// Unwrap implements errors.Unwrap.
func (e *retryable) Unwrap() error { return e.error }

// post sends body once. It returns how long the collector wants to be left alone.
func (c *client) post(ctx context.Context, body []byte) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.settings.URL.String(), bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the endpoint cannot be asked") // the error would quote the URL
	}
	for name, value := range c.settings.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.settings.Gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.http.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL
		}
		return 0, &retryable{err}
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	switch {
	case err != nil && response.StatusCode < 300:
		return 0, nil // they arrived; what it says of them did not
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return 0, rejection(answer)
	}
	err = fmt.Errorf("the collector answered with status %d", response.StatusCode)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return time.Duration(max(seconds, 0)) * time.Second, &retryable{err}
	}
	return 0, err
}

func compressed(body []byte) []byte {
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return to.Bytes()
}
