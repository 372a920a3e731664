package sim

import (
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/reply"
)

// eventSender writes one stream.
type eventSender struct {
	c    *call
	rule *fault.Rule // nil, or what spoils the stream
	sent int
	buf  []byte
	dead bool // nothing more may be sent
}

// sendEvents sends a stream. The header goes out at once and alone, as real
// servers send it; events are flushed before every wait, so that without delays
// they leave in few packets.
func (c *call) sendEvents(a reply.Answer, rule *fault.Rule) {
	h := c.w.Header()
	h.Set("Cache-Control", "no-cache")
	if rule != nil && rule.Kind == fault.KindTrailers {
		h.Set("Trailer", "X-Sim-Trailer")
	}
	c.writeHeader(a.Status)
	if !c.flush() {
		return
	}
	s := eventSender{c: c, rule: rule}
	a.Events(s.emit)
	if rule != nil && rule.Kind == fault.KindTrailers && !s.dead {
		h.Set("X-Sim-Trailer", "sent")
	}
}

// emit sends one event, after its delay and after what the rule does before it.
func (s *eventSender) emit(e reply.Event) bool {
	if s.dead || !s.delay(s.c.sim.cfg.TokenDelay*time.Duration(e.Tokens)) || !s.trouble(e) {
		s.dead = true
		return false
	}
	s.buf = reply.AppendEvent(s.buf[:0], e)
	s.sent++
	s.dead = !s.c.write(s.buf, s.rule)
	return !s.dead
}

// delay waits, having flushed what was written.
func (s *eventSender) delay(d time.Duration) bool {
	return d <= 0 || (s.c.flush() && s.c.pause(d))
}

// trouble does what the rule demands before the next event, and reports whether
// the stream goes on.
func (s *eventSender) trouble(e reply.Event) bool {
	if s.rule == nil || s.sent != s.rule.Events {
		return true
	}
	switch s.rule.Kind {
	case fault.KindCutReset, fault.KindCutClose, fault.KindCutClean:
		s.begin(e, s.rule.Bytes)
	}
	switch s.rule.Kind {
	case fault.KindCutReset:
		s.c.flush()
		s.c.reset()
		return false
	case fault.KindCutClose:
		s.c.flush()
		s.c.hangUp()
		return false
	case fault.KindCutClean:
		return false
	case fault.KindErrorEvent:
		s.c.write(reply.ErrorEvents(s.c.Route.Dialect, s.rule, s.sent), s.rule)
		return false
	case fault.KindSilence:
		return s.c.flush() && s.c.wait(s.rule.For)
	case fault.KindRow:
		row, _ := fault.FindRow(s.rule.Row) // Validate found it
		return s.c.write([]byte(row.Body), s.rule) && row.Harmless()
	default:
		return true
	}
}

// begin sends the first n bytes of an event.
func (s *eventSender) begin(e reply.Event, n int) {
	s.buf = reply.AppendEvent(s.buf[:0], e)
	s.c.write(s.buf[:min(n, len(s.buf))], s.rule)
}

// wait pauses for d, or until the client leaves when d is 0.
func (c *call) wait(d time.Duration) bool {
	if d > 0 {
		return c.pause(d)
	}
	select {
	case <-c.r.Context().Done():
	case <-c.sim.ctx.Done():
	}
	return false
}
