package verdict

import (
	"fmt"
	"time"
)

// Judge returns the verdict on f at now. It never returns one without a line.
func Judge(f Facts, now time.Time) Verdict {
	var lines []Line
	if f.Draining {
		lines = append(lines, draining(&f, now))
	}
	if f.StoreAway != "" {
		lines = append(lines, Line{Level: Trouble, Text: "the store " + f.StoreAway + " does not answer: answers to an Idempotency-Key are not stored, and creates with one are refused"})
	}
	if f.FleetAway != "" {
		lines = append(lines, Line{Level: Trouble, Text: "limits are not shared with the fleet (" + f.FleetAway + ")", Since: f.FleetSince})
	}
	for i := range f.Upstreams {
		lines = append(lines, judge(&f.Upstreams[i], now)...)
	}
	lines = sorted(lines)
	if len(lines) == 0 {
		lines = append(lines, calm(f))
	}
	return Verdict{lines[0].Level, lines}
}

// calm is the line of a process without any trouble.
func calm(f Facts) Line {
	switch {
	case f.Requests == 0 && f.Inflight == 0:
		return Line{Level: OK, Text: "ready; no request has come yet"}
	case len(f.Upstreams) == 1:
		return Line{Level: OK, Upstream: f.Upstreams[0].Name, Text: "answers"}
	}
	return Line{Level: OK, Text: "all upstreams answer"}
}

func judge(u *Upstream, now time.Time) []Line {
	var lines []Line
	add := func(l Line) {
		l.Upstream = u.Name
		lines = append(lines, l)
	}
	if u.Breaker.shut() {
		add(broken(u.Breaker))
	}
	for _, b := range u.Scopes {
		if b.shut() {
			add(broken(b))
		}
	}
	for _, l := range refusals(u.Refusals) {
		add(l)
	}
	if l, ok := failing(u.Failing); ok {
		add(l)
	}
	if u.Spent {
		add(Line{Level: Trouble, Text: "the retry budget is spent: failures are passed on without a retry until calls succeed again"})
	}
	if l, ok := pacing(u.Limits, now); ok {
		add(l)
	}
	if l, ok := crowded(u); ok {
		add(l)
	}
	return lines
}

// draining is the line of a process that is to end.
func draining(f *Facts, now time.Time) Line {
	l := Line{Level: Trouble, Text: "draining: new requests are refused, " + counted(f.Inflight, "is", "are", "still under way"), Since: f.DrainSince}
	if f.Inflight > 0 && f.DrainEnd.After(now) {
		l.Next, l.At = "what is left is ended", f.DrainEnd
	}
	return l
}

// A few requests fail on any day: it is worth a line when they are at least failingLeast, and
// one in failingShare.
const (
	failingLeast = 2
	failingShare = 20
)

// failing is the line of requests that failed although nothing else says why.
func failing(f Failing) (Line, bool) {
	if f.Failed < failingLeast || f.Failed*failingShare < f.Of {
		return Line{}, false
	}
	return Line{Level: Trouble, Text: fmt.Sprintf("%d of the last %d requests failed, mostly with the outcome %s", f.Failed, f.Of, f.Outcome)}, true
}

// broken is the line of a breaker that is not closed.
func broken(b Breaker) Line {
	l := Line{Level: Down, Text: "does not answer", Since: b.Since, Next: "next probe", At: b.Probe}
	if b.Scope != "" {
		l.Level, l.Text = Trouble, b.Scope+" fails, while the rest answers"
	}
	if b.Probing {
		l.Text, l.Next, l.At = l.Text+"; a probe is under way", "", time.Time{}
	}
	if b.Waiting > 0 {
		l.Text += ", " + waits(b.Waiting)
	}
	return l
}

// refusedFor says what a remembered refusal means, by its outcome.
var refusedFor = map[string]string{
	"quota":       "quota exhausted",
	"credential":  "key refused",
	"model":       "model refused",
	"entitlement": "plan does not include it",
}

// refusals has one line for each credential, model and outcome: several callers may have one.
func refusals(all []Refusal) []Line {
	type name struct{ credential, model, what string }
	at, lines := map[name]int{}, []Line(nil)
	for _, r := range all {
		what := refusedFor[r.Outcome]
		switch {
		case r.Streak:
			what = "refusals do not clear"
		case what == "":
			what = "refused"
		}
		key := name{r.Credential, r.Model, what}
		if i, ok := at[key]; ok {
			lines[i].Since, lines[i].At = earlier(lines[i].Since, r.Since), earlier(lines[i].At, r.Probe)
			continue
		}
		at[key] = len(lines)
		text := what + " for credential " + short(r.Credential)
		if r.Model != "" {
			text += " and model " + r.Model
		}
		lines = append(lines, Line{Level: Trouble, Text: text, Since: r.Since, Next: "next probe", At: r.Probe})
	}
	return lines
}

// pacing is the line of the rate limiters of one upstream: of the one with the longest queue.
func pacing(limits []Limit, now time.Time) (Line, bool) {
	worst, queue, queues := -1, 0, 0
	for i, l := range limits {
		if l.Queue == 0 {
			continue
		}
		queue, queues = queue+l.Queue, queues+1
		if worst < 0 || l.Queue > limits[worst].Queue {
			worst = i
		}
	}
	if worst < 0 {
		return Line{}, false
	}
	l, line := limits[worst], Line{Level: Busy}
	b, known := tightest(l.Buckets)
	switch {
	case l.Paused.After(now):
		line.Text, line.Next, line.At = "paused, as a refusal or a header asked", "goes on", l.Paused
	case known:
		line.Text = "pacing at " + Rate(b)
	default:
		line.Text = "pacing"
	}
	line.Text += ", " + waits(queue)
	if queues > 1 {
		line.Text += fmt.Sprintf(" in %d queues", queues)
	}
	return line, true
}

// crowded is the line of the limits on calls in flight of one upstream.
func crowded(u *Upstream) (Line, bool) {
	queue, tight := u.Slots.Queue, u.Slots
	for _, l := range u.Limits {
		queue += l.Slots.Queue
		if l.Slots.Queue > tight.Queue {
			tight = l.Slots
		}
	}
	if queue == 0 {
		return Line{}, false
	}
	text := "all slots are taken"
	if tight.Limit > 0 {
		text = fmt.Sprintf("%d of %d calls at once (%s)", tight.Running, tight.Limit, told(tight.Source))
	}
	return Line{Level: Busy, Text: text + ", " + waits(queue) + " for a slot"}, true
}
