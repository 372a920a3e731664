package observe

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Survived records a panic of a goroutine that reads what others sent: it ends its own request and not the process.
func Survived(to Recorder, where string, panicked any) {
	to.Span("", Moment(SpanPanic, "", where))
	to.Notice(Notice{slog.LevelError, "a call panicked", []slog.Attr{slog.String("where", where), slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack()))}})
}
