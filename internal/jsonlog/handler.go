package jsonlog

import (
	"context"
	"io"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// Handler is a slog.JSONHandler that has a shorter way for plain lines: see Line. Make it with
// NewHandler.
type Handler struct {
	flushing

	to io.Writer
}

// NewHandler returns a handler that writes records of at least level to w, each with one Write.
// If w has a method Flush, it is called after each record of at least slog.LevelWarn.
func NewHandler(w io.Writer, level slog.Leveler) *Handler {
	f := flushing{Handler: slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})}
	f.to, _ = w.(interface{ Flush() error })
	return &Handler{flushing: f, to: w}
}

// flushing is a handler after whose warnings and errors nothing waits.
type flushing struct {
	slog.Handler

	to interface{ Flush() error } // nil where nothing ever waits
}

// Handle implements slog.Handler.
func (f flushing) Handle(ctx context.Context, r slog.Record) error {
	err := f.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn && f.to != nil {
		_ = f.to.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (f flushing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushing{f.Handler.WithAttrs(attrs), f.to}
}

// WithGroup implements slog.Handler.
func (f flushing) WithGroup(name string) slog.Handler {
	return flushing{f.Handler.WithGroup(name), f.to}
}

// lines are the buffers in which lines are encoded.
var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// keptLine is the longest buffer that is kept for another line.
const keptLine = 16 << 10

// Line writes a record of these attributes, as Handle does. It allocates nothing if the record is
// plain: no warning, and of numbers, truth values, and text in ASCII that needs no escapes.
func (h *Handler) Line(ctx context.Context, at time.Time, level slog.Level, message string, attrs []slog.Attr) error {
	buf := lines.Get().(*[]byte)
	line, plain := appendLine((*buf)[:0], at, level, message, attrs)
	defer func() {
		if cap(line) <= keptLine {
			*buf = line
			lines.Put(buf)
		}
	}()
	if !plain {
		r := slog.NewRecord(at, level, message, 0)
		r.AddAttrs(attrs...)
		return h.Handle(ctx, r)
	}
	_, err := h.to.Write(line)
	return err
}

// appendLine appends a line, and reports whether it could: if the record is plain.
func appendLine(b []byte, at time.Time, level slog.Level, message string, attrs []slog.Attr) ([]byte, bool) {
	if y := at.Year(); level >= slog.LevelWarn || at.IsZero() || y < 0 || y > 9999 || !isPlain(message) {
		return b, false
	}
	b = append(b, `{"time":"`...)
	b = at.AppendFormat(b, time.RFC3339Nano)
	b = append(append(b, `","level":"`...), level.String()...)
	b = append(append(b, `","msg":"`...), message...)
	b = append(b, '"')
	for i := range attrs {
		a := &attrs[i]
		if a.Key == "" || !isPlain(a.Key) {
			return b, false
		}
		b = append(append(b, `,"`...), a.Key...)
		b = append(b, `":`...)
		var plain bool
		if b, plain = appendValue(b, a.Value); !plain {
			return b, false
		}
	}
	return append(b, "}\n"...), true
}

func appendValue(b []byte, v slog.Value) ([]byte, bool) {
	switch v.Kind() {
	case slog.KindString:
		if !isPlain(v.String()) {
			return b, false
		}
		b = append(append(append(b, '"'), v.String()...), '"')
	case slog.KindInt64:
		b = strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		b = strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		b = strconv.AppendBool(b, v.Bool())
	case slog.KindFloat64:
		f := v.Float64()
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) || math.IsNaN(f) {
			return b, false // which encoding/json writes in other ways
		}
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
	default:
		return b, false
	}
	return b, true
}

// isPlain reports whether text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
