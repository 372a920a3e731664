package proxy

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// survived logs and counts a panic of a goroutine that reads what others sent: it ends its own request and not the process.
func (p *Loop) survived(where string, panicked any) {
	p.recorder.Span("", Moment(SpanPanic, "", where))
	p.recorder.Notice(Notice{slog.LevelError, "a call panicked", []slog.Attr{slog.String("where", where), slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack()))}})
}

// sawPanic is survived for what holds an answer's beginning.
func (p *Loop) sawPanic(panicked any) { p.survived("answer", panicked) }
