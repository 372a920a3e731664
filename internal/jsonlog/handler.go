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

// Handler is a slog.Handler that writes what slog.JSONHandler would, and allocates nothing for
// records of strings, numbers and truth values. Make it with NewHandler.
type Handler struct {
	slow  slog.Handler // for all that is not flat
	to    io.Writer
	level slog.Leveler
}

// NewHandler returns a handler that writes records of at least level to w, each with one Write.
// If w has a method Flush, it is called after each record of at least slog.LevelWarn.
func NewHandler(w io.Writer, level slog.Leveler) *Handler {
	return &Handler{slow: slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}), to: w, level: level}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler { return h.slow.WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler { return h.slow.WithGroup(name) }

// lines are the buffers in which records are encoded.
var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// keptLine is the longest buffer that is kept for another record.
const keptLine = 16 << 10

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		if f, ok := h.to.(interface{ Flush() error }); ok {
			defer func() { _ = f.Flush() }()
		}
	}
	buf := lines.Get().(*[]byte)
	line := appendHead((*buf)[:0], r.Time, r.Level, r.Message)
	flat := isYear(r.Time)
	r.Attrs(func(a slog.Attr) bool {
		if flat {
			line, flat = appendAttr(line, &a)
		}
		return flat
	})
	if !flat {
		*buf = line
		lines.Put(buf)
		return h.slow.Handle(ctx, r)
	}
	return h.write(buf, line)
}

// Line writes a record of these attributes, as Handle would. A slog.Record has room for five and
// allocates the rest.
func (h *Handler) Line(ctx context.Context, at time.Time, level slog.Level, message string, attrs []slog.Attr) error {
	buf := lines.Get().(*[]byte)
	line := appendHead((*buf)[:0], at, level, message)
	flat := level < slog.LevelWarn && isYear(at)
	for i := 0; flat && i < len(attrs); i++ {
		line, flat = appendAttr(line, &attrs[i])
	}
	if !flat {
		*buf = line
		lines.Put(buf)
		r := slog.NewRecord(at, level, message, 0)
		r.AddAttrs(attrs...)
		return h.Handle(ctx, r)
	}
	return h.write(buf, line)
}

// write ends the line, writes it, and takes back the buffer that it began in.
func (h *Handler) write(buf *[]byte, line []byte) error {
	line = append(line, "}\n"...)
	_, err := h.to.Write(line)
	if cap(line) <= keptLine {
		*buf = line
		lines.Put(buf)
	}
	return err
}

// isYear reports whether a time can be written as RFC 3339 has it.
func isYear(t time.Time) bool { y := t.Year(); return 0 <= y && y <= 9999 }

// appendHead begins a line.
func appendHead(b []byte, at time.Time, level slog.Level, message string) []byte {
	b = append(b, '{')
	if !at.IsZero() {
		b = append(b, `"time":"`...)
		b = at.AppendFormat(b, time.RFC3339Nano)
		b = append(b, `",`...)
	}
	b = append(b, `"level":`...)
	b = appendString(b, level.String())
	b = append(b, `,"msg":`...)
	return appendString(b, message)
}

// appendAttr encodes a, and reports whether it could: if it is flat.

func appendAttr(b []byte, a *slog.Attr) ([]byte, bool) {
	if a.Key == "" {
		return b, false
	}
	b = append(b, ',')
	b = appendString(b, a.Key)
	b = append(b, ':')
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		b = appendString(b, v.String())
	case slog.KindInt64:
		b = strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		b = strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		b = strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		b = strconv.AppendInt(b, int64(v.Duration()), 10)
	case slog.KindFloat64:
		f := v.Float64()
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) || math.IsNaN(f) || math.IsInf(f, 0) {
			return b, false // which encoding/json writes in other ways
		}
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
	default:
		return b, false
	}
	return b, true
}

// appendString appends s as a JSON string, as slog's handler does: <, > and & stay as they are.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // no line ends in JavaScript
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hex[r&0xf])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
