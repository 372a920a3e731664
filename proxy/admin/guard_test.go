package admin

import (
	"net/http"
	"testing"
)

func TestHostIsCheckedOnALoopbackListener(t *testing.T) {
	for host, want := range map[string]int{
		"127.0.0.1:8384":         200,
		"127.0.0.1":              200,
		"127.9.8.7:1":            200,
		"localhost":              200,
		"LOCALHOST:9999":         200,
		"localhost.":             200,
		"app.localhost:8384":     200,
		"[::1]:8384":             200,
		"[::1]":                  200,
		"[::ffff:127.0.0.1]":     200,
		"":                       403,
		"evil.example":           403,
		"evil.example:8384":      403,
		"localhost.evil.example": 403,
		"notlocalhost":           403,
		"127.0.0.1.evil.example": 403,
		"10.0.0.7:8384":          403,
		"0.0.0.0:8384":           403,
		"[::]:8384":              403,
		"[fe80::1]":              403,
		"127.0.0.1:8384:1":       403,
	} {
		if got := statusFor(t, local, host, nil); got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
	}
}

func TestHostIsNotCheckedOnOtherListeners(t *testing.T) {
	for _, listen := range []string{all, ":8384", "[::]:8384", "10.0.0.7:8384", "pod.example:8384"} {
		for _, host := range []string{"10.0.0.7:8384", "outrigger.svc", "localhost"} {
			if got := statusFor(t, listen, host, []string{"https://grafana.example"}); got != 200 {
				t.Errorf("on %s, Host %q: %d, want 200", listen, host, got)
			}
		}
	}
}

func TestOriginIsCheckedOnALoopbackListener(t *testing.T) {
	for name, tt := range map[string]struct {
		origin []string
		want   int
	}{
		"no browser":           {nil, 200},
		"its own page":         {[]string{"http://localhost:8384"}, 200},
		"its own page, upper":  {[]string{"http://LOCALHOST:8384"}, 200},
		"a page next door":     {[]string{"http://localhost:3000"}, 403},
		"its address by name":  {[]string{"http://127.0.0.1:8384"}, 403},
		"another scheme":       {[]string{"https://localhost:8384"}, 403},
		"a page far away":      {[]string{"https://evil.example"}, 403},
		"a sandboxed page":     {[]string{"null"}, 403},
		"an empty origin":      {[]string{""}, 403},
		"what does not parse":  {[]string{"http://local host:8384"}, 403},
		"a userinfo trick":     {[]string{"http://localhost:8384@evil.example"}, 403},
		"two origins, own 1st": {[]string{"http://localhost:8384", "https://evil.example"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if got := statusFor(t, local, "localhost:8384", tt.origin); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
}

// statusFor asks for /healthz with that Host and Origin.
func statusFor(t *testing.T, listen, host string, origin []string) int {
	t.Helper()
	header := http.Header{}
	if origin != nil {
		header["Origin"] = origin
	}
	h := newHandler(listen, true)
	got, _ := ask(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		h.ServeHTTP(w, r)
	}), "GET", "/healthz", header)
	return got.Status
}
