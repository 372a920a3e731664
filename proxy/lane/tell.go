package lane

import (
	"log/slog"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/gate"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

// tellAll has the parts of a lane tell their changes of state, as lines of the log.
func (u *Learned) tellAll(now time.Time) {
	u.Gate.Breaker.OnChange(func(c policy.BreakerChange) { u.tellBreaker(gate.AllScopes, "", u.Gate, c) })
	u.Scopes.Tell = func(s gate.Scope, g *gate.Gate, c policy.BreakerChange) {
		u.tellBreaker(s.String(), s.Credential.Label(), g, c)
	}
	u.Trips.Tell = u.tellRefusal
	u.Queues.Tell = u.tellLimit
	u.Queues.TellSlots = func(key admission.Key, n admission.ConcurrencyNews) {
		u.tellConcurrency(n, slog.String("credential", key.Credential.Label()), slog.String("model", wire.LabelText(key.Model)))
	}
	u.Slots.Tell = func(n admission.ConcurrencyNews) { u.tellConcurrency(n) }
	u.Queues.SharedQuotas = admission.NewSharedQuotas(func(message string, fields []slog.Attr) {
		observe.Changed(u.recorder, observe.ChangeQuota, u.upstream(), slog.LevelInfo, message, fields...)
	}, u.upstream, now)
}

// upstream is the name that it has now.
func (u *Learned) upstream() string { return *u.name.Load() }

// changed tells of a change of state here. Subject, beside the upstream, tells changes of one
// kind apart.
func (u *Learned) changed(kind observe.ChangeKind, subject string, level slog.Level, message string, fields ...slog.Attr) {
	name := u.upstream()
	observe.Changed(u.recorder, kind, name+" "+subject, level, message, append([]slog.Attr{slog.String("upstream", name)}, fields...)...)
}

// tellBreaker tells of a breaker. That it opens is for an operator. Probes while it is open
// would repeat each second what is known.
func (u *Learned) tellBreaker(scope, credential string, g *gate.Gate, c policy.BreakerChange) {
	level, message := slog.LevelDebug, "breaker half-open"
	fields := []slog.Attr{slog.String("scope", scope)}
	if credential != "" {
		fields = append(fields, slog.String("credential", credential))
	}
	fields = append(fields, slog.String("cause", c.Cause))
	switch c.To {
	case policy.Open:
		if message = "breaker open again"; c.From == policy.Closed {
			level, message = slog.LevelWarn, "breaker opened"
		}
		fields = append(fields, slog.String("outcome", g.LastFault()))
	case policy.Closed:
		level, message = slog.LevelInfo, "breaker closed"
	}
	if !c.Since.IsZero() {
		fields = append(fields, observe.Milliseconds("open_ms", time.Since(c.Since)))
	}
	u.changed(observe.ChangeBreaker, scope+" "+credential, level, message, fields...)
}

// tellRefusal tells of a cached refusal.
func (u *Learned) tellRefusal(n negative.News) {
	fields := []slog.Attr{slog.String("credential", n.Key.Credential.Label())}
	if n.Key.Model != "" {
		fields = append(fields, slog.String("model", wire.LabelText(n.Key.Model)))
	}
	fields = append(fields, slog.String("outcome", n.Answer.Verdict.Outcome.String()), slog.Int("status", n.Answer.Status),
		wire.Field("error_code", n.Answer.Verdict.Error.Code, wire.MaxMessage))
	level, message := slog.LevelInfo, "refusal forgotten"
	switch {
	case !n.Remembered:
		fields = append(fields, slog.String("cause", n.Cause))
	default:
		level, message = slog.LevelWarn, "refusal remembered: answering from memory"
		if !n.Answer.Verdict.Trip {
			message = "refusals do not clear, answering from memory"
			if ln := u.Queues.Known(n.Key.Key); ln != nil {
				since, refusals := ln.Refusals.Since()
				fields = append(fields, slog.Duration("for", time.Since(since)), slog.Int("refusals", refusals))
			}
		}
		fields = append(fields, slog.Time("probe_at", n.Until))
	}
	u.changed(observe.ChangeRefusal, n.Key.Credential.Label()+" "+n.Key.Model, level, message, fields...)
}

// tellLimit tells of a rate limit.
func (u *Learned) tellLimit(key admission.Key, n limit.News) {
	fields := []slog.Attr{
		slog.String("credential", key.Credential.Label()), slog.String("model", wire.LabelText(key.Model)), slog.String("dimension", n.Dimension),
	}
	message := "limit learned"
	switch {
	case n.Limit == 0:
		message = "limit forgotten"
	case n.Before > 0:
		message = "limit changed"
	}
	if n.Limit > 0 {
		fields = append(fields, slog.Float64("limit", n.Limit), slog.String("source", n.Source.String()))
	}
	if n.Before > 0 {
		fields = append(fields, slog.Float64("before", n.Before))
	}
	fields = append(fields, slog.Float64("window_seconds", n.Window.Seconds()))
	u.changed(observe.ChangeLimit, key.Credential.Label()+" "+key.Model+" "+n.Dimension, slog.LevelInfo, message, fields...)
}

// tellConcurrency tells of a limit on calls in flight, of the whole upstream unless of says whose.
func (u *Learned) tellConcurrency(n admission.ConcurrencyNews, of ...slog.Attr) {
	message := "concurrency limit learned"
	switch {
	case n.Limit == 0:
		message = "concurrency limit forgotten"
	case n.Before > 0:
		message = "concurrency limit changed"
	}
	var names strings.Builder
	for _, a := range of {
		names.WriteString(a.Value.String() + " ")
	}
	subject := names.String()
	if n.Limit > 0 {
		of = append(of, slog.Int("limit", n.Limit), slog.String("source", n.Source))
	}
	if n.Before > 0 {
		of = append(of, slog.Int("before", n.Before))
	}
	u.changed(observe.ChangeConcurrency, subject, slog.LevelInfo, message, of...)
}
