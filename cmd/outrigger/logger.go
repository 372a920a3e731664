package main

import (
	"bytes"
	"context"
	"io"
	"log"
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

// newErrorLog takes what net/http has to say about connections: debug, since any
// port scan causes it. Only a panic is an error of ours.
func newErrorLog(to *slog.Logger) *log.Logger { return log.New(serverErrors{to}, "", 0) }

type serverErrors struct{ log *slog.Logger }

func (e serverErrors) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.Contains(line, []byte("panic serving")) {
		level = slog.LevelError
	}
	e.log.Log(context.Background(), level, "http server", slog.String("error", string(bytes.TrimSpace(line))))
	return len(line), nil
}

// takeStandardLog makes log the place of what libraries print by package log: net/http's
// transport, which quotes what an upstream sent without being asked. That may be an answer, so
// what it quotes is left out. It returns what undoes that.
func takeStandardLog(to *slog.Logger) func() {
	was, flags := log.Writer(), log.Flags()
	log.SetFlags(0)
	log.SetOutput(libraryLines{to})
	return func() {
		log.SetFlags(flags)
		log.SetOutput(was)
	}
}

type libraryLines struct{ log *slog.Logger }

func (l libraryLines) Write(line []byte) (int, error) {
	said, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(`"`))
	l.log.Debug("a library", slog.String("says", string(bytes.TrimSpace(said))))
	return len(line), nil
}
