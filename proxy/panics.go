package proxy

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// survived records a panic of a goroutine that reads what others sent: it ends its own request and not the process.
func survived(to Recorder, where string, panicked any) {
	to.Span("", Moment(SpanPanic, "", where))
	to.Notice(Notice{slog.LevelError, "a call panicked", []slog.Attr{slog.String("where", where), slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack()))}})
}

// sawPanic is survived for what holds an answer's beginning.
func (p *Loop) sawPanic(panicked any) { survived(p.recorder, "answer", panicked) }
