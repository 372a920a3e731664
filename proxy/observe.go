package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// observe finishes the exchange's record, once, at the true end: the relay has
// returned, or is unwinding because a copy broke (http.ErrAbortHandler). The request
// is in flight until its line is written: a drain waits for that of a WebSocket too,
// whose connection the server does not know any more.
func (p *Proxy) observe(x *exchange) {
	defer p.over(x)
	x.extendWrite()
	x.intake.end()
	x.close()
	took := time.Since(x.start)
	p.metrics.finished(x, took)
	p.logRequest(x, took)
}

// over says that nothing of x is left to be done.
func (p *Proxy) over(x *exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, x)
}

// fail answers with err, which is an *Error or the cause of the request's end.
func (x *exchange) fail(w http.ResponseWriter, err error) {
	x.stopTimer()
	var e *Error
	switch {
	case errors.As(err, &e):
		writeError(w, x, e)
		return
	case errors.Is(err, errDraining):
		writeError(w, x, fail("draining", "Outrigger is shutting down and ended this request. Send it again.").After(time.Second))
		return
	case errors.Is(err, errDeadline):
		writeError(w, x, fail("upstream_timeout", "The request's deadline passed after %s and %s. Allow more time (OUTRIGGER_TIMEOUT, "+
			"or the client's own timeout).", x.tried(), round(time.Since(x.start))))
		return
	case errors.Is(err, errBudget) && x.lastLoss != nil:
		writeError(w, x, x.lastLoss)
		return
	case !x.left():
		writeError(w, x, x.unusable())
		return
	}
	// The caller is gone. Ending without an answer would be a 200 on the wire.
	x.record.outcome = outcomeCanceled
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a request without an answer
}

// note records one attempt: its metrics, and at debug level a log line.
func (x *exchange) note(a *attempt, d policy.Decision) {
	x.up.metrics.attempt(a.verdict.Outcome)
	switch {
	case d.Action == policy.Next: // counted where it is done
	case d.Action != policy.Return:
		x.up.metrics.retried(string(d.Reason))
	case isTransient(a.verdict.Outcome):
		x.up.metrics.refusedRetry(string(d.Reason))
	}
	if !x.p.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	status := 0
	if a.resp != nil {
		status = a.resp.StatusCode
	}
	x.p.log.LogAttrs(context.Background(), slog.LevelDebug, "attempt",
		slog.String("id", x.id), slog.Int("attempt", a.number), slog.String("upstream", x.up.config.Name),
		slog.Int("status", status), slog.String("outcome", a.verdict.Outcome.String()), slog.String("rule", a.verdict.Rule),
		slog.String("decision", string(d.Reason)), milliseconds("wait_ms", d.Delay), milliseconds("hint_ms", a.verdict.Wait),
		milliseconds("took_ms", time.Since(a.started)))
}

// isTransient reports whether an outcome is one that a repeat might mend.
func isTransient(o classify.Outcome) bool {
	switch o {
	case classify.OutcomeRateLimited, classify.OutcomeSlowDown, classify.OutcomeOverloaded, classify.OutcomeFailed,
		classify.OutcomeTimeout, classify.OutcomeUnreachable, classify.OutcomeBroke, classify.OutcomeLoading, classify.OutcomeStarved:
		return true
	}
	return false
}

// logRequest writes the request's one line.
func (p *Proxy) logRequest(x *exchange, took time.Duration) {
	r, level := &x.record, slog.LevelInfo
	if r.isWarning() {
		level = slog.LevelWarn
	}
	if !p.log.Enabled(context.Background(), level) {
		return
	}
	var buf [28]slog.Attr
	a := append(buf[:0],
		slog.String("id", x.id), field("method", x.method, maxMethod), field("path", maskedPath(x.path), maxPath),
		slog.Int("status", r.status), slog.String("outcome", r.result()), slog.String("source", r.source),
		slog.Int("attempts", r.attempts), milliseconds("queue_ms", r.queue), milliseconds("ttfb_ms", r.first),
		milliseconds("duration_ms", took), slog.Int64("bytes_in", x.size), slog.Int64("bytes_out", r.bytesOut),
	)
	if x.up != nil {
		a = append(a, slog.String("upstream", x.up.config.Name))
	}
	if x.caller != "" {
		a = append(a, slog.String("caller", x.caller))
	}
	if r.reason != "" {
		a = append(a, slog.String("reason", r.reason))
	}
	if x.facts.Model != "" {
		a = append(a, field("model", x.facts.Model, maxModel))
	}
	if x.sent != "" && x.sent != x.facts.Model {
		a = append(a, field("sent_model", x.sent, maxModel))
	}
	if x.encoded.codings != nil {
		a = append(a, field("encoding", strings.Join(x.encoded.codings, ", "), maxField))
		if x.spliced != "" {
			a = append(a, slog.String("sent_encoding", "identity"))
		}
	}
	if x.encoded.unread != "" {
		a = append(a, field("unread", x.encoded.unread, maxField))
	}
	if r.repaired {
		a = append(a, slog.String("repaired", "/v1/v1 in the path: the client's base URL has /v1 twice"))
	}
	if hint := x.pathHint(); hint != "" {
		a = append(a, slog.String("hint", hint))
	}
	if len(r.hops) > 0 {
		a = append(a, slog.Int("redirects", len(r.hops)))
	}
	if r.failover != "" {
		a = append(a, slog.String("failover", r.failover))
	}
	if r.sticky {
		a = append(a, slog.Bool("sticky", true))
		if r.sealed {
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
	if x.repeat.mark != "" {
		a = append(a, slog.String("repeat", x.repeat.mark))
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
	if r.alone {
		p.log.LogAttrs(context.Background(), level, "call ended without its caller", a...)
		return
	}
	p.log.LogAttrs(context.Background(), level, "request", a...)
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
