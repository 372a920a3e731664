package main

import (
	"bytes"
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"regexp"
	"testing"
)

func TestLogIsJSONWhereNobodyReadsIt(t *testing.T) {
	for _, format := range []string{"auto", "json"} {
		var out bytes.Buffer
		to := newLogger(&out, format, slog.LevelInfo, false)
		to.Debug("hidden")
		to.Info("shown", slog.Int("n", 1))
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", format, err, out.String())
		}
		delete(line, "time")
		if len(line) != 3 || line["msg"] != "shown" || line["level"] != "INFO" || line["n"] != 1.0 {
			t.Errorf("%s: %v", format, line)
		}
	}
}

func TestLogIsPlainTextWhenAskedFor(t *testing.T) {
	var out bytes.Buffer
	to := newLogger(&out, "text", slog.LevelDebug, false)
	to.Debug("shown", slog.Int("n", 1))
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} DBG shown n=1\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got %q, want a year, no colour and the line", out.String())
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(&bytes.Buffer{}) {
		t.Error("want neither a file nor a buffer to be a terminal")
	}
}

func TestColourCanBeRefused(t *testing.T) {
	for entry, want := range map[string]bool{"NO_COLOR=1": true, "NO_COLOR=": false, "NO_COLOUR=1": false, "XNO_COLOR=1": false} {
		if got := wantsNoColor([]string{"PATH=/bin", entry}); got != want {
			t.Errorf("%s: %v", entry, got)
		}
	}
}

func TestServerErrorsAreDebugExceptPanics(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 127.0.0.1:1: EOF\n": "DEBUG",
		"http: panic serving 127.0.0.1:1: boom\nstack\n":    "ERROR",
	} {
		var out bytes.Buffer
		newErrorLog(newLogger(&out, "json", slog.LevelDebug, false)).Print(line)
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["level"] != want || got["msg"] != "http server" {
			t.Errorf("%q: %v, %v, want %s", line, got, err, want)
		}
	}
}

func TestWhatLibrariesPrintIsInTheLogWithoutWhatTheyQuote(t *testing.T) {
	var out bytes.Buffer
	before := log.Writer()
	undo := takeStandardLog(newLogger(&out, "json", slog.LevelDebug, false))
	// As net/http's transport has it (transport.go, readLoopPeekFailLocked).
	log.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", `{"a secret \" answer"}`, nil) //nolint:forbidigo // as a library does
	undo()
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["level"] != "DEBUG" ||
		got["says"] != "Unsolicited response received on idle HTTP channel starting with" {
		t.Errorf("%s, %v", out.String(), err)
	}
	if log.Writer() != before {
		t.Error("the standard log stays where it was put")
	}
}
