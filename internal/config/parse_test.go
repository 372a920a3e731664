package config

import (
	"net/http"
	"strings"
	"testing"
)

// What env cannot read in the tags is no fault of a text, and no text is quoted.
func TestTagsThatCannotBeReadAreAMistakeOfTheirOwn(t *testing.T) {
	type noParser struct {
		Key    string        `env:"KEY"`
		Client *http.Client  `env:"CLIENT"`
		Signal chan struct{} `env:"SIGNAL"`
	}
	type noOption struct {
		Key string `env:"KEY,reqired"`
	}
	for name, root := range map[string]any{"a type without a parser": &noParser{}, "an option that is none": &noOption{}, "no struct": new(string)} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(root, "X_", map[string]string{"X_KEY": "hunter2", "X_SIGNAL": "hunter2"})
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
	var found mistakes
	resolve(&noParser{}, "X_", environment{"X_SIGNAL": "hunter2"}, &found)
	if len(found.all) != 1 || !strings.HasPrefix(found.all[0].Error(), "X_: the tags of *config.noParser cannot be read: ") {
		t.Errorf("got %v", found.all)
	}
}

// One call parses all variables, and none of them hides another's mistake.
func TestEveryTextThatCannotBeParsedIsTold(t *testing.T) {
	found := mistakesOf(t, "OUTRIGGER_TIMEOUT=x", "OUTRIGGER_RETRY_MAX=x", "OUTRIGGER_STORE=x", "OUTRIGGER_BODY_MAX=x", "OUTRIGGER_LEARN=x",
		"OUTRIGGER_UPSTREAM_OPENAI_MODELS=x", "OUTRIGGER_UPSTREAM_OPENAI_RPM=x")
	want := "OUTRIGGER_TIMEOUT OUTRIGGER_RETRY_MAX OUTRIGGER_LEARN OUTRIGGER_BODY_MAX OUTRIGGER_STORE OUTRIGGER_UPSTREAM_OPENAI_MODELS OUTRIGGER_UPSTREAM_OPENAI_RPM"
	var got []string
	for _, m := range found {
		got = append(got, m.Variable)
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
