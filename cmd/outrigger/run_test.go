package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// outcome is what a test compares of a run.
type outcome struct {
	Code   int
	Stdout string
	Stderr string
}

func runWith(t *testing.T, args, environ []string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, environ, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

func runOutput(t *testing.T, args, environ []string) string {
	t.Helper()
	o := runWith(t, args, environ)
	return o.Stdout + o.Stderr
}

// golden returns the content of testdata/name; with -update it is set to got first.
//
//	go test ./cmd/outrigger -run Golden -update
func golden(t *testing.T, name, got string) string {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(want)
}

func TestUsageIsTheGoldenText(t *testing.T) {
	want := outcome{Code: 0, Stdout: golden(t, "usage.txt", usage())}
	for _, args := range []string{"help", "-h", "-help", "--help", "serve -h", "check --help", "version -h", "help -h"} {
		if got := runWith(t, strings.Fields(args), nil); got != want {
			t.Errorf("outrigger %s: got %+v, want %+v", args, got, want)
		}
	}
}

func TestBadUsageExitsWithTwo(t *testing.T) {
	for args, want := range map[string]outcome{
		"start":            {2, "", "outrigger: no command \"start\"; outrigger help lists them\n"},
		"-v":               {2, "", "outrigger: no command \"-v\"; outrigger help lists them\n"},
		"serve --port=1":   {2, "", "outrigger: serve takes no arguments, not \"--port=1\"\n"},
		"check all":        {2, "", "outrigger: check takes no arguments, not \"all\"\n"},
		"version x":        {2, "", "outrigger: version takes no arguments, not \"x\"\n"},
		"healthcheck :1 2": {2, "", "outrigger: healthcheck takes no arguments, not \":1\"\n"},
	} {
		if got := runWith(t, strings.Fields(args), nil); got != want {
			t.Errorf("outrigger %s: got %+v, want %+v", args, got, want)
		}
	}
}

func TestBadConfigurationExitsWithTwoAndStartsNothing(t *testing.T) {
	environ := []string{"OUTRIGGER_TIMEOUT=5", "OUTRIGGER_LISTN=x"}
	want := outcome{2, "", `outrigger: 2 mistakes in the configuration:
  OUTRIGGER_TIMEOUT="5": want a duration such as 500ms, 30s or 10m, from 1s to 24h
  OUTRIGGER_LISTN: no such variable; the nearest is OUTRIGGER_LISTEN
`}
	for _, args := range []string{"", "serve", "check"} {
		if got := runWith(t, strings.Fields(args), environ); got != want {
			t.Errorf("outrigger %s: got %+v, want %+v", args, got, want)
		}
	}
	if got := runWith(t, []string{"check"}, environ[:1]); !strings.HasPrefix(got.Stderr, "outrigger: 1 mistake in") {
		t.Errorf("got %+v, want the singular", got)
	}
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands() {
		if c.run == nil || c.about == "" || seen[c.name] || c.is("") {
			t.Errorf("command %q is not complete, or there twice", c.name)
		}
		seen[c.name] = true
	}
}
