package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"outrigger/internal/jsonlog"
)

// newLogger returns the process's logger on w. Format auto is text on a terminal
// and JSON elsewhere; text is in colour on a terminal, unless noColor
// (https://no-color.org).
func newLogger(w io.Writer, format string, level slog.Leveler, noColor bool) *slog.Logger {
	terminal := isTerminal(w)
	if format == "json" || format == "auto" && !terminal {
		return slog.New(jsonlog.NewHandler(w, level))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{
		Level:      level,
		TimeFormat: "2006-01-02 15:04:05.000", // tint's own has no year
		NoColor:    noColor || !terminal,      // tint's own is colour, everywhere
	}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// logWriter returns where the log goes, and what writes all that was kept back: a program that
// reads it gets lines a few at a time under load, and people get each at once.
func logWriter(w io.Writer) (io.Writer, func()) {
	if isTerminal(w) {
		return w, func() {}
	}
	to := jsonlog.NewWriter(w)
	return to, func() { _ = to.Flush() }
}
