package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestPairReadsNameAndValue(t *testing.T) {
	for text, want := range map[string]Pair{
		"api-version=2024-10-21":            {"api-version", "2024-10-21"},
		"X-Empty=":                          {"X-Empty", ""},
		"OpenAI-Beta=assistants=v2":         {"OpenAI-Beta", "assistants=v2"},
		" X-Spaced = two words ":            {"X-Spaced", "two words"},
		"key==":                             {"key", "="},
		"openai=https://api.openai.com/?a=": {"openai", "https://api.openai.com/?a="},
	} {
		var got Pair
		if err := got.UnmarshalText([]byte(text)); err != nil || got.Name != want.Name || got.Value != want.Value {
			t.Errorf("%q reads as name %q, value %q, %v", text, got.Name, got.Value, err)
		}
	}
}

func TestPairRefusesATextWithoutNameOrEqualsSign(t *testing.T) {
	for _, text := range []string{"", " ", "=", "=value", " =value", "sk-secret", "Name: sk-secret"} {
		got := Pair{"kept", "kept"}
		err := got.UnmarshalText([]byte(text))
		if !errors.Is(err, ErrPair) || got != (Pair{"kept", "kept"}) {
			t.Errorf("%q reads as name %q, value %q, %v", text, got.Name, got.Value, err)
		}
		if err != nil && strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("the error for %q quotes it: %v", text, err)
		}
	}
}

func TestPairPrintsItsNameOnly(t *testing.T) {
	p := Pair{"X-Key", "sk-secret"}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("pair", slog.Any("pair", p), slog.Any("pairs", []Pair{p}))
	encoded, err := json.Marshal([]Pair{p})
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"%v": fmt.Sprint(p), "%#v": fmt.Sprintf("%#v", []Pair{p}), "%q": fmt.Sprintf("%q", &p),
		"json": string(encoded), "slog": logged.String(),
	} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "X-Key=[redacted]") {
			t.Errorf("%s prints %s", how, text)
		}
	}
}
