package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// newLogger returns the process's logger on w. Format auto is text on a terminal
// and JSON elsewhere; text is in colour on a terminal, unless noColor
// (https://no-color.org).
func newLogger(w io.Writer, format string, level slog.Leveler, noColor bool) *slog.Logger {
	terminal := isTerminal(w)
	if format == "json" || format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
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
