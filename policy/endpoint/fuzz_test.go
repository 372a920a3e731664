package endpoint_test

import (
	"net/http"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// FuzzOf holds what must be true of any request line: no panic, a bounded name,
// safe methods read, and whatever is repeatable by POST is so for a listed reason.
func FuzzOf(f *testing.F) {
	for _, paths := range posts {
		for _, path := range paths {
			f.Add(http.MethodPost, "/v1/"+path, uint8(0))
		}
	}
	f.Add("PATCH", "//v1///", uint8(15))
	f.Add("POST", "/api/chat/completions", uint8(0x30))
	f.Add("POST", "/v1beta/models/m:generateContent", uint8(0))
	f.Add("POST", "/../%2e%2e/\x00?/cancel", uint8(3))
	names := map[string]bool{"other": true}
	for _, n := range endpoint.Names() {
		names[n] = true
	}
	f.Fuzz(func(t *testing.T, method, path string, bits uint8) {
		facts := endpoint.Facts{Store: bits&1 != 0, Background: bits&2 != 0, Conversation: bits&4 != 0, ActingTools: bits&8 != 0, Members: endpoint.Members(bits >> 4)}
		got := endpoint.Of(method, path, facts)
		if !names[got.Name] {
			t.Fatalf("%q %q has the unbounded name %q", method, path, got.Name)
		}
		if safe := method == "GET" || method == "HEAD" || method == "OPTIONS"; safe && got.Effect != endpoint.Read {
			t.Fatalf("%q %q: effect %v of a safe method", method, path, got.Effect)
		}
		if method != "POST" {
			return
		}
		if got.Effect == endpoint.Compute && got.Name == "other" {
			t.Fatalf("POST %q is repeatable and not listed", path)
		}
		slashed := strings.ReplaceAll(path, "/", "//")
		if again := endpoint.Of(method, slashed, facts); again != got {
			t.Fatalf("POST %q = %+v, but %q = %+v", path, got, slashed, again)
		}
	})
}
