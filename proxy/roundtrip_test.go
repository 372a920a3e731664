package proxy

import (
	"io"
	"net/http"
	"testing"
)

func TestAFailureIsRepeatedAndTheSuccessRelayed(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, call int) {
		if call < 3 {
			http.Error(w, "bad gateway", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	resp, body := g.chat()
	if resp.StatusCode != http.StatusOK || body != chatBody || g.calls.Load() != 3 {
		t.Fatalf("got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
	}
	if got := resp.Header.Get("X-Outrigger-Attempts"); got != "3" {
		t.Errorf("attempts header %q, want 3", got)
	}
	if got := resp.Header.Get("X-Should-Retry"); got != "" {
		t.Errorf("x-should-retry %q on a success", got)
	}
}

func TestAfterAllRetriesTheLastAnswerIsTheCallers(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":{"message":"x","type":"server_error","param":null,"code":null}}`)
	})
	resp, body := g.chat()
	if resp.StatusCode != http.StatusInternalServerError || g.calls.Load() != 5 {
		t.Fatalf("got %d after %d calls", resp.StatusCode, g.calls.Load())
	}
	if want := `{"error":{"message":"x","type":"server_error","param":null,"code":null}}`; body != want {
		t.Errorf("body %q, want %q", body, want)
	}
	if resp.Header.Get("X-Should-Retry") != "false" || resp.Header.Get("X-Request-Id") != "req_1" {
		t.Errorf("headers %v", resp.Header)
	}
}
