package proxy

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Log writes what happens to a logger: a line for each request, for each attempt at debug
// level, and for each notice. It implements Recorder.
type Log struct{ log *slog.Logger }

// NewLog returns a Log that writes to l.
func NewLog(l *slog.Logger) *Log { return &Log{log: l} }

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
		slog.String("decision", s.Reason), milliseconds("wait_ms", s.Try.Wait), milliseconds("hint_ms", s.Try.Hint),
		milliseconds("took_ms", s.End.Sub(s.Start)))
}

// Notice implements Recorder.
func (l *Log) Notice(n Notice) { l.log.LogAttrs(context.Background(), n.Level, n.Message, n.Fields...) }

// Done implements Recorder: it writes the request's one line.
func (l *Log) Done(e *Event) {
	x, r, level := e.Call, e.Result, slog.LevelInfo
	if r.isWarning() {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	var buf [28]slog.Attr
	a := append(buf[:0],
		slog.String("id", x.id), field("method", x.method, maxMethod), field("path", maskedPath(x.path), maxPath),
		slog.Int("status", r.status), slog.String("outcome", r.result()), slog.String("source", r.source),
		slog.Int("attempts", r.attempts), milliseconds("queue_ms", r.queue), milliseconds("ttfb_ms", r.first),
		milliseconds("duration_ms", e.Took()), slog.Int64("bytes_in", cmp.Or(r.bytesIn, x.size)), slog.Int64("bytes_out", r.bytesOut),
	)
	if e.Upstream != "" {
		a = append(a, slog.String("upstream", e.Upstream))
	}
	if x.callerLabel != "" {
		a = append(a, slog.String("caller", x.callerLabel))
	}
	if r.reason != "" {
		a = append(a, slog.String("reason", r.reason))
	}
	if x.facts.Model != "" {
		a = append(a, field("model", x.facts.Model, maxModel))
	}
	if e.Sent != "" && e.Sent != x.facts.Model {
		a = append(a, field("sent_model", e.Sent, maxModel))
	}
	if x.encoded.codings != nil {
		a = append(a, field("encoding", strings.Join(x.encoded.codings, ", "), maxField))
		if e.SentDecoded {
			a = append(a, slog.String("sent_encoding", "identity"))
		}
	}
	if x.encoded.unread != "" {
		a = append(a, field("unread", x.encoded.unread, maxField))
	}
	if r.repaired {
		a = append(a, slog.String("repaired", "/v1/v1 in the path: the client's base URL has /v1 twice"))
	}
	if e.Hint != "" {
		a = append(a, slog.String("hint", e.Hint))
	}
	if e.Redirects > 0 {
		a = append(a, slog.Int("redirects", e.Redirects))
	}
	if r.failover != "" {
		a = append(a, slog.String("failover", r.failover))
	}
	if e.Sticky {
		a = append(a, slog.Bool("sticky", true))
		if e.Sealed {
			a = append(a, slog.String("sticky_for", "encrypted_content that no other upstream can read"))
		}
	}
	if r.gate > 0 {
		a = append(a, milliseconds("breaker_ms", r.gate))
	}
	if r.resumes > 0 {
		a = append(a, slog.Int64("resumes", r.resumes))
	}
	if r.idempotency != "" {
		a = append(a, slog.String("idempotency", r.idempotency))
	}
	if e.Repeat != "" {
		a = append(a, slog.String("repeat", e.Repeat))
	}
	if r.upstreamID != "" {
		a = append(a, field("upstream_request_id", r.upstreamID, maxField))
	}
	if r.promptTokens+r.completionTokens > 0 {
		a = append(a, slog.Int64("prompt_tokens", r.promptTokens), slog.Int64("completion_tokens", r.completionTokens))
	}
	if r.closeCode > 0 {
		a = append(a, slog.Int("close_code", r.closeCode))
	}
	if r.errorCode != "" || r.errorType != "" {
		a = append(a, field("error_type", r.errorType, maxMessage), field("error_code", r.errorCode, maxMessage),
			field("error_param", r.errorParam, maxMessage), field("error", r.errorMessage, maxField))
	}
	if e.Alone {
		l.log.LogAttrs(context.Background(), level, "call ended without its caller", a...)
		return
	}
	l.log.LogAttrs(context.Background(), level, "request", a...)
}

// milliseconds is a duration as the log has it: a number with three decimals.
func milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// statusLabel is the status as metrics have it.
func statusLabel(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}
