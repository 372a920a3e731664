package main

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestHealthcheckWithoutAListenerIsAnError(t *testing.T) {
	for environ, want := range map[string]outcome{
		"OUTRIGGER_ADMIN_LISTEN=off":         {1, "", "outrigger: OUTRIGGER_ADMIN_LISTEN is off: there is no listener to ask\n"},
		"OUTRIGGER_ADMIN_LISTEN=127.0.0.1:0": {1, "", "outrigger: OUTRIGGER_ADMIN_LISTEN=\"127.0.0.1:0\": want host:port with a port over 0\n"},
		"OUTRIGGER_ADMIN_LISTEN=x":           {1, "", "outrigger: OUTRIGGER_ADMIN_LISTEN=\"x\": want host:port with a port over 0\n"},
	} {
		if got := runWith(t, []string{"healthcheck"}, []string{environ}); got != want {
			t.Errorf("%s: got %+v, want %+v", environ, got, want)
		}
	}
}

func TestHealthcheckTellsReadyFromNotReady(t *testing.T) {
	status := http.StatusOK
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.WriteHeader(status)
	}))
	address := server.Listener.Addr().String()
	environ := []string{"OUTRIGGER_ADMIN_LISTEN=" + address}

	if got, want := runWith(t, []string{"healthcheck"}, environ), (outcome{0, "ready\n", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	status = http.StatusServiceUnavailable
	want := outcome{1, "", "outrigger: not ready: " + address + " answered 503 Service Unavailable\n"}
	if got := runWith(t, []string{"healthcheck"}, environ); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	server.Close()
	if got := runWith(t, []string{"healthcheck"}, environ); got.Code != 1 || !strings.HasPrefix(got.Stderr, "outrigger: asking "+address+": ") {
		t.Errorf("got %+v, want that nobody listens", got)
	}
	if want := []string{"GET /readyz", "GET /readyz"}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestHealthcheckOfARealProcess(t *testing.T) {
	p := startProcess(t, "OUTRIGGER_DRAIN_DELAY=1h")
	environ := []string{"OUTRIGGER_ADMIN_LISTEN=" + p.admin}
	if got := runWith(t, []string{"healthcheck"}, environ); got.Code != 0 {
		t.Errorf("while it serves: %+v", got)
	}
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: not ready any more, still taking requests")
	if got := runWith(t, []string{"healthcheck"}, environ); got.Code != 1 {
		t.Errorf("while it drains: %+v", got)
	}
}
