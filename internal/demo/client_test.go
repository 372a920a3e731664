package demo

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

var errLost = errors.New("connection lost")

func answer(status int, shouldRetry string) *http.Response {
	h := http.Header{}
	if shouldRetry != "" {
		h.Set("X-Should-Retry", shouldRetry)
	}
	return &http.Response{StatusCode: status, Header: h}
}

func TestTheClientWaitsAsTheSDKsDo(t *testing.T) {
	named := answer(429, "")
	named.Header.Set("Retry-After", "7")
	if got := backoff(named, 0); got != 7*time.Second {
		t.Errorf("named wait %s, want 7s", got)
	}
	named.Header.Set("Retry-After-Ms", "1500")
	if got := backoff(named, 0); got != 1500*time.Millisecond {
		t.Errorf("named wait %s, want 1.5s", got)
	}
	long := answer(429, "")
	long.Header.Set("Retry-After", "600")
	for n, most := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
		for _, resp := range []*http.Response{nil, long} {
			if got := backoff(resp, n); got > most || got < most*3/4 {
				t.Errorf("wait %d is %s, want between three quarters of %s and all of it", n, got, most)
			}
		}
	}
}
