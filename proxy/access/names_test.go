package access

import (
	"fmt"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// self are callers that may name themselves.
func self(tokens ...string) *Callers {
	c := settings.Callers{Header: true, Listen: "127.0.0.1:0"}
	for _, token := range tokens {
		c.Tokens = append(c.Tokens, values.NewSecret(token))
	}
	return NewCallers(c)
}

// nameBy is the name of who presents a token and calls itself header.
func nameBy(t *testing.T, cs *Callers, token, header string) string {
	t.Helper()
	c, err := cs.Caller(requestOf("X-Outrigger-Token", token, "X-Outrigger-Caller", header))
	if err != nil || c.Name != "" && c.Label != c.Name {
		t.Fatalf("%+v, %v, want the name as the label", c, err)
	}
	return c.Name
}

func TestNames_TheTokensNameComesFirst(t *testing.T) {
	cs := self("web:one", "batch:two", "plain")
	for _, tt := range []struct{ token, header, want string }{
		{"one", "", "web"},
		{"one", "checkout", "web/checkout"},
		{"two", "checkout", "batch/checkout"},
		{"one", "batch", "web/batch"},
		{"plain", "checkout", "checkout"},
		{"plain", "", ""},
		{"plain", "web", "other"}, // that is who presents one
		{"plain", " web ", "other"},
		{"plain", "web/checkout", "web_checkout"},
		{"one", "  ", "web"},
		{"one", "a b\tc\"ä", "web/a_b_c___"},
		{"plain", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH", ""},
	} {
		if got := nameBy(t, cs, tt.token, tt.header); got != tt.want {
			t.Errorf("%s calls itself %q: %q, want %q", tt.token, tt.header, got, tt.want)
		}
	}
}

func TestNames_TheHeaderIsNothingUnlessAskedFor(t *testing.T) {
	cs := named()
	for token, want := range map[string]string{"one": "web", "plain": ""} {
		if got := nameBy(t, cs, token, "checkout"); got != want {
			t.Errorf("%s: %q, want %q", token, got, want)
		}
	}
}

func TestNames_AreBounded(t *testing.T) {
	cs, seen := self("web:one", "plain"), map[string]bool{}
	for i := range 4 * MaxNames {
		seen[nameBy(t, cs, "plain", fmt.Sprint("a", i))] = true
		seen[nameBy(t, cs, "one", fmt.Sprint("b", i))] = true
		seen[nameBy(t, cs, "plain", strings.Repeat(" ", i)+"a0")] = true
	}
	if len(seen) != MaxNames+2 || !seen["other"] || !seen["web/other"] || !seen["a0"] {
		t.Errorf("%d names: %v, want %d, other and web/other", len(seen), seen, MaxNames)
	}
	if n := len(cs.names.known); n > maxGiven {
		t.Errorf("%d spellings are remembered, want at most %d", n, maxGiven)
	}
	if got := nameBy(t, self("plain"), "plain", strings.Repeat("x", 1000)); len(got) > 31 {
		t.Errorf("a name of %d bytes", len(got))
	}
}

func TestNames_AreKeptInTheNextConfiguration(t *testing.T) {
	before, after := self("plain"), self("plain")
	for i := range MaxNames {
		nameBy(t, before, "plain", fmt.Sprint(i))
	}
	after.KeepNames(before)
	if a, b := nameBy(t, after, "plain", "7"), nameBy(t, after, "plain", "new"); a != "7" || b != OtherNames {
		t.Errorf("%q and %q, want 7 and other", a, b)
	}
}

func TestNames_AKnownOneAllocatesNothing(t *testing.T) {
	cs, off := self("web:one"), NewCallers(settings.Callers{Listen: "127.0.0.1:0"})
	r := requestOf("X-Outrigger-Token", "one", "X-Outrigger-Caller", "checkout")
	bare := requestOf()
	if n := testing.AllocsPerRun(100, func() { _, _ = cs.Caller(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = off.Caller(bare) }); n > 0 {
		t.Errorf("%v allocations where nobody has a name", n)
	}
}
