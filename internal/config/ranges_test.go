package config

import (
	"log/slog"
	"testing"
	"time"

	"outrigger/internal/values"
)

// sample has a field for each way to say what is allowed.
type sample struct {
	Free   float64       `env:"FREE"`
	Least  time.Duration `env:"LEAST" min:"1s"`
	Most   int           `env:"MOST" max:"9"`
	Both   values.Bytes  `env:"BOTH" min:"1024" max:"1048576"`
	Off    time.Duration `env:"OFF" min:"1s" off:"true"`
	Minus  int           `env:"MINUS" min:"-5"`
	Level  slog.Level    `env:"LEVEL"`
	Text   string        `env:"TEXT"`
	List   []string      `env:"LIST"`
	Wrong  time.Duration `env:"WRONG" max:"one hour"`
	Size   values.Bytes  `env:"SIZE" min:"small"`
	Number int           `env:"NUMBER" min:"few"`
}

func TestBoundsOfTagsHold(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"FREE", "0", true},
		{"FREE", "1e300", true},
		{"FREE", "-1e-300", false},
		{"FREE", "Inf", false},
		{"FREE", "nan", false},
		{"LEAST", "1s", true},
		{"LEAST", "999ms", false},
		{"LEAST", "2000000h", true},
		{"LEAST", "0", false},
		{"MOST", "0", true},
		{"MOST", "9", true},
		{"MOST", "10", false},
		{"MOST", "-1", false},
		{"BOTH", "1KiB", true},
		{"BOTH", "1MiB", true},
		{"BOTH", "1023", false},
		{"BOTH", "1048577", false},
		{"OFF", "off", true},
		{"OFF", "none", true},
		{"OFF", "0s", true},
		{"OFF", "1s", true},
		{"OFF", "1ns", false},
		{"OFF", "OFF", false},
		{"MINUS", "-5", true},
		{"MINUS", "-6", false},
		{"LEVEL", "debug", true}, // below zero, and no number
		{"TEXT", "off", true},
		{"LIST", "off", true},
		{"LIST", "a, b", true},
		{"LIST", "a,", false},
		{"WRONG", "1s", false}, // a tag that says nothing allows nothing
		{"SIZE", "1", false},
		{"NUMBER", "1", false},
	} {
		var found mistakes
		resolve(&sample{}, "", environment{tt.name: tt.text}, &found)
		if (len(found.all) == 0) != tt.want || len(found.all) > 1 {
			t.Errorf("%s=%s: %v, want it to be allowed: %v", tt.name, tt.text, found.all, tt.want)
		}
	}
}

func TestWhatIsAllowedIsSaid(t *testing.T) {
	want := map[string]string{
		"FREE":   "want a number",
		"LEAST":  "want a duration such as 500ms, 30s or 10m, at least 1s",
		"MOST":   "want a whole number, at most 9",
		"BOTH":   "want a size such as 4096, 64KiB or 1GB, from 1KiB to 1MiB",
		"OFF":    "want a duration such as 500ms, 30s or 10m, at least 1s, or off",
		"MINUS":  "want a whole number, at least -5",
		"TEXT":   "want a text",
		"LIST":   "want a list separated by commas, without empty entries, or off",
		"NUMBER": "want a whole number, at least few",
	}
	for _, v := range variablesOf(&sample{}, "") {
		if want[v.Name] != "" && v.allowed() != want[v.Name] {
			t.Errorf("%s: %s, want %s", v.Name, v.allowed(), want[v.Name])
		}
	}
}
