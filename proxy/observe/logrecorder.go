package observe

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"outrigger/policy/priority"
	"outrigger/proxy/wire"
)

// Log writes what happens to a logger: a line for each request, for each attempt at debug
// level, and for each notice. Of a change of state that repeats it writes about one line in ten
// seconds. It implements Recorder.
type Log struct {
	log     *slog.Logger
	lines   liner // the handler of log, if it is one
	changes *changeLimit
}

// NewLog returns a Log that writes to l.
func NewLog(l *slog.Logger) *Log {
	log := &Log{log: l}
	log.lines, _ = l.Handler().(liner)
	log.changes = newChangeLimit(log.write)
	return log
}

// Begin implements Recorder.
func (*Log) Begin(Kind, string) {}

// Span implements Recorder.
func (l *Log) Span(id string, s Span) {
	if s.Kind != SpanAttempt || !l.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	l.log.LogAttrs(context.Background(), slog.LevelDebug, "attempt",
		slog.String("id", id), slog.Int("attempt", s.Try.Number), slog.String("upstream", s.Lane),
		slog.Int("status", s.Try.Status), slog.String("outcome", s.Try.Outcome.String()), slog.String("rule", s.Try.Rule),
		slog.String("decision", s.Reason), Milliseconds("wait_ms", s.Try.Wait), Milliseconds("hint_ms", s.Try.Hint),
		Milliseconds("took_ms", s.End.Sub(s.Start)))
}

// Notice implements Recorder.
func (l *Log) Notice(n Notice) {
	switch {
	case !l.log.Enabled(context.Background(), n.Level):
	case n.Kind == "":
		l.write(n)
	default:
		l.changes.add(n)
	}
}

// write writes n as of when it happened, which may be a while ago.
func (l *Log) write(n Notice) {
	when := n.Time
	if when.IsZero() {
		when = time.Now()
	}
	r := slog.NewRecord(when, n.Level, n.Message, 0)
	r.AddAttrs(n.Fields...)
	_ = l.log.Handler().Handle(context.Background(), r) // as slog does
}

// Done implements Recorder: it writes the request's one line.
func (l *Log) Done(e *Event) {
	if e.Foreseen != nil {
		l.foreseen(e)
		return
	}
	x, r, level := e.Call, e.Result, slog.LevelInfo
	if r.IsWarning() {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	buf := attrLists.Get().(*[]slog.Attr)
	a := (*buf)[:0]
	a = append(a,
		slog.String("id", x.ID), wire.Field("method", x.Method, wire.MaxMethod), wire.Field("path", wire.MaskedPath(x.Path), wire.MaxPath),
		slog.Int("status", r.Status), slog.String("outcome", r.Result()), slog.String("source", string(r.Source)),
		slog.Int("attempts", r.Attempts), Milliseconds("queue_ms", r.Queue), Milliseconds("ttfb_ms", r.First),
		Milliseconds("duration_ms", e.Took()), slog.Int64("bytes_in", cmp.Or(r.BytesIn, x.Size)), slog.Int64("bytes_out", r.BytesOut),
	)
	if e.Upstream != "" {
		a = append(a, slog.String("upstream", e.Upstream))
	}
	if x.CallerLabel != "" {
		a = append(a, slog.String("caller", x.CallerLabel))
	}
	if x.Priority != priority.Normal {
		a = append(a, slog.String("priority", x.Priority.String()))
	}
	if r.Reason != "" {
		a = append(a, slog.String("reason", r.Reason))
	}
	if x.Facts.Model != "" {
		a = append(a, wire.Field("model", x.Facts.Model, wire.MaxModel))
	}
	if e.Sent != "" && e.Sent != x.Facts.Model {
		a = append(a, wire.Field("sent_model", e.Sent, wire.MaxModel))
	}
	if x.Encoded.Codings != nil {
		a = append(a, wire.Field("encoding", strings.Join(x.Encoded.Codings, ", "), wire.MaxField))
		if e.SentDecoded {
			a = append(a, slog.String("sent_encoding", "identity"))
		}
	}
	if x.Encoded.Unread != "" {
		a = append(a, wire.Field("unread", x.Encoded.Unread, wire.MaxField))
	}
	if r.Repaired {
		a = append(a, slog.String("repaired", "/v1/v1 in the path: the client's base URL has /v1 twice"))
	}
	if e.Hint != "" {
		a = append(a, slog.String("hint", e.Hint))
	}
	if e.Redirects > 0 {
		a = append(a, slog.Int("redirects", e.Redirects))
	}
	if r.Failover != "" {
		a = append(a, slog.String("failover", r.Failover))
	}
	if e.Sticky {
		a = append(a, slog.Bool("sticky", true))
		if e.Sealed {
			a = append(a, slog.String("sticky_for", "encrypted_content that no other upstream can read"))
		}
	}
	if r.Gate > 0 {
		a = append(a, Milliseconds("breaker_ms", r.Gate))
	}
	if r.Resumes > 0 {
		a = append(a, slog.Int64("resumes", r.Resumes))
	}
	if r.Idempotency != "" {
		a = append(a, slog.String("idempotency", r.Idempotency))
	}
	if e.Repeat != "" {
		a = append(a, slog.String("repeat", e.Repeat))
	}
	if r.UpstreamID != "" {
		a = append(a, wire.Field("upstream_request_id", r.UpstreamID, wire.MaxField))
	}
	if r.PromptTokens+r.CompletionTokens > 0 {
		a = append(a, slog.Int64("prompt_tokens", r.PromptTokens), slog.Int64("completion_tokens", r.CompletionTokens))
	}
	if r.CloseCode > 0 {
		a = append(a, slog.Int("close_code", r.CloseCode))
	}
	if r.ErrorCode != "" || r.ErrorType != "" {
		a = append(a, wire.Field("error_type", r.ErrorType, wire.MaxMessage), wire.Field("error_code", r.ErrorCode, wire.MaxMessage),
			wire.Field("error_param", r.ErrorParam, wire.MaxMessage), wire.Field("error", r.ErrorMessage, wire.MaxField))
	}
	message := "request"
	if e.Alone {
		message = "call ended without its caller"
	}
	if l.lines != nil {
		_ = l.lines.Line(context.Background(), time.Now(), level, message, a) // as slog does
	} else {
		l.write(Notice{Level: level, Message: message, Fields: a})
	}
	clear(a) // they share memory with the request
	*buf = a
	attrLists.Put(buf)
}

// attrLists are for reuse: the fields of one line are over 1 KB.
var attrLists = sync.Pool{New: func() any { a := make([]slog.Attr, 0, 32); return &a }}

// liner is a handler that takes a record's attributes as they are; see package jsonlog.
type liner interface {
	Line(ctx context.Context, at time.Time, level slog.Level, message string, attrs []slog.Attr) error
}

// Milliseconds is a duration as the log has it: a number with three decimals.
func Milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}
