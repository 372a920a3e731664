package config

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestAnUpstreamThatIsThisProcessIsFound(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		// listener, then URL
		"127.0.0.1:8383 http://localhost:8383/v1":        true,
		"127.0.0.1:8383 http://LOCALHOST.:8383":          true,
		"127.0.0.1:8383 http://127.0.0.1:8383":           true,
		"127.0.0.1:8383 https://[::1]:8383/v1":           true,
		"127.0.0.1:8383 http://0.0.0.0:8383":             true,
		"127.0.0.1:8383 http://[::]:8383":                true,
		"127.0.0.1:8383 http://[::ffff:7f00:1]:8383":     true,
		"localhost:8383 http://127.0.0.1:8383":           true,
		"localhost:8383 http://[::1]:8383":               true,
		"[::1]:8383 http://localhost:8383":               true,
		"127.0.0.5:8383 http://127.0.0.5:8383":           true,
		":8383 http://localhost:8383":                    true,
		"0.0.0.0:8383 http://127.0.0.7:8383":             true,
		"[::]:8383 http://127.0.0.1:8383":                true,
		":8383 http://" + own + ":8383":                  true,
		":8383 http://" + strings.ToUpper(own) + ":8383": true,
		":80 http://localhost":                           true,
		":443 https://127.0.0.1/v1":                      true,

		"127.0.0.1:8383 http://localhost:8384":       false, // another port: Ollama's and others'
		"127.0.0.1:8383 http://127.0.0.2:8383":       false, // another process's
		"[::1]:8383 http://127.0.0.1:8383":           false,
		"127.0.0.1:8383 http://192.0.2.1:8383":       false, // another machine's
		":8383 http://192.0.2.1:8383":                false,
		"127.0.0.1:8383 http://no.such.invalid:8383": false,
		"127.0.0.1:0 http://127.0.0.1:80":            false,
		"127.0.0.1:8383 http://localhost":            false,
		":443 http://localhost":                      false,
	} {
		listen, address, _ := strings.Cut(text, " ")
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := leadsTo(u, listen); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
