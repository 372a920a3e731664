package settings

import (
	"errors"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/policy/priority"
)

func TestSplitToken_AnEntryMayHaveAName(t *testing.T) {
	for entry, want := range map[string][2]string{
		"plain": {"", "plain"}, "web:secret": {"web", "secret"}, "web-2_b:a:b": {"web-2_b", "a:b"},
		"Web:secret": {"", "Web:secret"}, "2:secret": {"", "2:secret"}, ":secret": {"", ":secret"}, "web:": {"", "web:"}, "": {"", ""},
		strings.Repeat("a", 33) + ":secret": {"", strings.Repeat("a", 33) + ":secret"},
	} {
		if name, token := SplitToken(values.NewSecret(entry)); name != want[0] || token.Reveal() != want[1] {
			t.Errorf("%s: got %q and %q, want %q", entry, name, token.Reveal(), want)
		}
	}
}

func TestTokenPriority_ReadsNameAndPriority(t *testing.T) {
	for text, want := range map[string]TokenPriority{"batch=low": {"batch", priority.Low}, " web = high ": {"web", priority.High}} {
		var got TokenPriority
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "batch", "=low", "batch=", "batch=urgent", "Batch=low", "batch:low"} {
		var got TokenPriority
		if err := got.UnmarshalText([]byte(text)); !errors.Is(err, ErrTokenPriority) {
			t.Errorf("%s: got %v, want ErrTokenPriority", text, err)
		}
	}
}
