package top

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outrigger/policy/verdict"
)

// Size of a frame.
const (
	maxLimits   = 12 // of one upstream
	maxRequests = 15
)

// frame draws one screen. now gives the time and its zone; colors are ANSI's, if wanted.
type frame struct {
	strings.Builder

	now   time.Time
	color bool
}

func (f *frame) line(format string, args ...any) {
	fmt.Fprintf(f, format, args...)
	f.WriteByte('\n')
}

// Colors of ANSI terminals, which every theme adapts.
var levelColor = map[verdict.Level]string{verdict.OK: "32", verdict.Busy: "33", verdict.Trouble: "35", verdict.Down: "31"}

func (f *frame) paint(code, text string) string {
	if !f.color || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const bold = "1"

// draw returns the screen for a status and the last requests, the latest first.
func draw(s *status, last []request, address string, now time.Time, color bool) string {
	f := &frame{now: now, color: color}
	f.line("%s at %s, %s", f.paint(bold, "Outrigger"), address, now.Format("15:04:05"))
	f.line("")
	if s.Totals.Observed != nil {
		f.line("%s every call passes once, as it is; what is shown as done is what enforce mode would have done\n", f.paint(bold, "OBSERVING, nothing is changed:"))
	}
	for _, l := range s.Verdict.Lines {
		f.line("%s %s", f.paint(levelColor[l.Level], fmt.Sprintf("%-8s", strings.ToUpper(string(l.Level)))), l.Words(now))
	}
	f.line("")
	f.totals(s)
	for i := range s.Upstreams {
		f.line("")
		f.upstream(&s.Upstreams[i])
	}
	f.requests(last)
	return f.String()
}

func (f *frame) totals(s *status) {
	t := &s.Totals
	if o := t.Observed; o != nil {
		var would []string
		for _, what := range slices.Sorted(maps.Keys(o.Would)) {
			would = append(would, fmt.Sprintf("%s %d", what, o.Would[what]))
		}
		f.line("would have: failed %d, failures prevented %d, failures caused %d, calls not made %d, waited in queues %s%s",
			o.Failed-o.Prevented+o.Caused, o.Prevented, o.Caused, o.NotMade, spent(o.QueueSeconds), listed("; requests: ", would))
	}
	f.line("requests %d, in flight %d, failures prevented %d, calls not made %d, waited in queues %s",
		t.Requests, s.Inflight, t.Prevented, t.NotMade, spent(t.QueueSeconds))
	var ended []string
	for _, how := range slices.Sorted(maps.Keys(t.Streams.Ended)) {
		ended = append(ended, fmt.Sprintf("%s %d", how, t.Streams.Ended[how]))
	}
	f.line("streams open %d%s, resumed %d", t.Streams.Open, listed("; ended: ", ended), t.Streams.Resumed)
	answers := "answers"
	if !s.Store.Answers {
		answers = "does not answer"
	}
	f.line("store %s %s, %d calls with a key under way, %d without a caller; bodies %d KiB in memory, %d KiB on disk",
		s.Store.Name, answers, s.Store.Running, s.Store.Abandoned, s.Memory>>10, s.Spool>>10)
	if s.Fleet != nil {
		f.fleet(s.Fleet)
	}
}

func (f *frame) fleet(fl *fleet) {
	state := "connected"
	if fl.Degraded {
		state = "degraded: " + fl.Cause
		if !fl.Since.IsZero() {
			state += ", since " + fl.Since.In(f.now.Location()).Format("15:04")
		}
	}
	var members []string
	for _, m := range fl.Members {
		members = append(members, fmt.Sprintf("%s %d wait, %.0f %%", m.ID, m.Queue, 100*m.Share))
	}
	f.line("fleet %s%s", state, listed("; ", members))
}

func (f *frame) upstream(u *upstream) {
	f.line("%s  %s  breaker %s%s, %d retries may start, %d calls in flight", f.paint(bold, u.Name), u.URL, u.Breaker, waits(u.Waiting), u.Budget, u.Concurrency.Running)
	for _, b := range u.Scopes {
		f.line("  %-34s breaker %s since %s%s", b.Scope, b.Breaker, b.Since.In(f.now.Location()).Format("15:04"), waits(b.Waiting))
	}
	for _, t := range append(slices.Clone(u.Trips), u.Streaks...) {
		probe := "the next request probes"
		if t.Until.After(f.now) {
			probe = "next probe in " + verdict.Span(t.Until.Sub(f.now))
		}
		f.line("  %-34s refused from memory: %s (%d %s), %s", name(t.Credential, cmp.Or(t.Model, "all models")), t.Outcome, t.Status, t.Code, probe)
	}
	f.slots("whole upstream", u.Concurrency)
	for i := range u.Limits {
		if i == maxLimits {
			f.line("  %d more", len(u.Limits)-i)
			break
		}
		f.limit(&u.Limits[i])
	}
}

func (f *frame) limit(l *limit) {
	label, state := name(l.Credential, cmp.Or(l.Model, "no model")), waits(l.State.Queue)
	if l.State.Paused.After(f.now) {
		state += ", paused for " + verdict.Span(l.State.Paused.Sub(f.now))
	}
	for _, b := range l.State.Buckets {
		f.line("  %-34s %s %s%s", label, meter(b), verdict.Rate(verdict.Bucket{
			Dimension: b.Dimension, Limit: b.Limit, Window: time.Duration(b.Window * float64(time.Second)), Source: b.Source,
		}), state)
		label, state = "", ""
	}
	if state != "" {
		f.line("  %-34s no limit known%s", label, state)
		label = ""
	}
	f.slots(label, l.Concurrency)
}

func (f *frame) slots(label string, s slots) {
	if s.Limit > 0 || s.Queue > 0 {
		f.line("  %-34s %d calls in flight, limit %d (%s)%s", label, s.Running, s.Limit, cmp.Or(s.Source, "configured"), waits(s.Queue))
	}
}

func (f *frame) requests(last []request) {
	if len(last) == 0 {
		return
	}
	f.line("\n%s", f.paint(bold, "Last requests"))
	for _, q := range last[:min(len(last), maxRequests)] {
		code := "32"
		if q.Outcome != "completed" {
			code = "31"
		}
		f.line("%s  %s  %8.0f ms  queue %6.0f ms  %d attempts  %s  %s%s", q.Start.In(f.now.Location()).Format("15:04:05"),
			f.paint(code, fmt.Sprintf("%3d %-22s", q.Status, q.Outcome)), q.Took, q.Queue, q.Attempts, cmp.Or(q.Model, q.Endpoint, q.Path), q.Upstream, by(q.Caller))
	}
}

// meter is how much of a limit is used, in ten steps.
func meter(b bucket) string {
	const steps = 10
	used := 0.0
	if b.Limit > 0 {
		used = min(max(1-b.Remaining/b.Limit, 0), 1)
	}
	n := int(used*steps + 0.5)
	return fmt.Sprintf("[%s%s] %3.0f %% of", strings.Repeat("#", n), strings.Repeat(".", steps-n), 100*used)
}

func name(credential, model string) string { return credential + " " + model }

// by names the caller of a request.
func by(caller string) string {
	if caller == "" {
		return ""
	}
	return "  by " + caller
}

func waits(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 waits"
	}
	return fmt.Sprintf(", %d wait", n)
}

func listed(before string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return before + strings.Join(items, ", ")
}

func spent(seconds float64) string {
	if seconds == 0 {
		return "0 s"
	}
	return verdict.Span(time.Duration(seconds * float64(time.Second)))
}
