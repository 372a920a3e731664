package top

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/frame.txt anew")

// serve answers with the fixed status; down makes it fail.
func serve(t *testing.T, down *atomic.Bool) string {
	t.Helper()
	files := http.FileServer(http.Dir("testdata"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

func TestFrame_IsThatOfTheFixedStatus(t *testing.T) {
	address := serve(t, new(atomic.Bool))
	now := time.Date(2026, 11, 30, 15, 5, 0, 0, time.FixedZone("", 3600))
	draw := func(color bool) string {
		c := &client{http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, o: Options{Address: address, Color: color}}
		screen, err := c.frame(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(screen, address, "127.0.0.1:8384")
	}
	got := draw(false)
	if *update {
		if err := os.WriteFile("testdata/frame.txt", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/frame.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if colored := draw(true); colored == got || escapes.ReplaceAllString(colored, "") != got {
		t.Errorf("in color it is another text:\n%s", colored)
	}
}

func TestRun_OnceIsOneFrameWithoutCursorControl(t *testing.T) {
	var out strings.Builder
	if err := Run(t.Context(), &out, Options{Address: serve(t, new(atomic.Bool)), Once: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "Outrigger at ") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("got %q", out.String())
	}
}

func TestRun_NobodyThereIsAnError(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	var out strings.Builder
	address := serve(t, &down)
	err := Run(t.Context(), &out, Options{Address: address})
	if err == nil || err.Error() != address+"/status.json answered 503 Service Unavailable" || out.Len() != 0 {
		t.Errorf("got %v, %q", err, out.String())
	}
}

// frames calls f with each screen that is painted.
type frames func(screen string)

func (f frames) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

func TestRun_SaysSinceWhenItIsNotConnected(t *testing.T) {
	var down atomic.Bool
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address, painted, lost, back := serve(t, &down), 0, 0, 0
	err := Run(ctx, frames(func(screen string) {
		if !strings.HasPrefix(screen, home) {
			return
		}
		switch painted++; {
		case painted == 1:
			down.Store(true)
		case strings.HasPrefix(screen, home+"NOT CONNECTED since ") && strings.Contains(screen, "quota exhausted") && strings.Count(screen, "NOT CONNECTED") == 1:
			if lost++; lost == 2 {
				down.Store(false)
			}
		default:
			back++
			cancel()
		}
	}), Options{Address: address})
	if err != nil || lost != 2 || back != 1 {
		t.Errorf("got %v, %d frames without a connection, %d after it was back", err, lost, back)
	}
}
