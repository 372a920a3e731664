package sim

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/limits"
	"outrigger/internal/sim/reply"
)

// send waits for the network and sends the answer, spoiled by rule if that is not nil.
func (c *call) send(a reply.Answer, rule *fault.Rule) {
	if !c.pause(c.sim.cfg.Network) {
		return
	}
	c.setHeaders(a)
	if rule != nil && c.spoil(a, rule) {
		return
	}
	if a.Events != nil {
		c.sendEvents(a, rule)
		return
	}
	c.sendBody(a, rule)
}

// setHeaders sets everything but what tells the length.
func (c *call) setHeaders(a reply.Answer) {
	h := c.w.Header()
	h.Set("Content-Type", a.ContentType)
	if c.Route.Dialect == reply.DialectMessages {
		h.Set("Request-ID", c.ID)
	} else {
		h.Set("X-Request-ID", c.ID)
		h.Set("Openai-Organization", c.sim.cfg.Organization)
		h.Set("Openai-Version", "2020-10-01")
		h.Set("Openai-Processing-Ms", strconv.FormatInt((time.Since(c.began)-2*c.sim.cfg.Network).Milliseconds(), 10))
	}
	if c.decision.Limited() {
		limits.SetHeaders(h, c.sim.cfg.Style, c.decision)
	}
	for name, values := range a.Header {
		h[name] = values
	}
}

func (c *call) sendBody(a reply.Answer, rule *fault.Rule) {
	h := c.w.Header()
	body := a.Body
	if rule != nil && (rule.Kind == fault.KindGzip || (rule.Gzip && isInstead(rule))) {
		body = gzipped(body)
		h.Set("Content-Encoding", "gzip")
	}
	trailers := rule != nil && rule.Kind == fault.KindTrailers
	if trailers {
		h.Set("Trailer", "X-Sim-Checksum, X-Sim-Trailer")
	} else {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.writeHeader(a.Status)
	if !c.write(body, rule) {
		return
	}
	if trailers {
		h.Set("X-Sim-Checksum", strconv.Itoa(len(body)))
		h.Set("X-Sim-Trailer", "sent")
	}
}

func (c *call) writeHeader(status int) {
	c.answers(status)
	c.w.WriteHeader(status)
}

// write sends a part of the body, slowly if the rule says so. It reports false
// when the client is gone.
func (c *call) write(p []byte, rule *fault.Rule) bool {
	if rule == nil || rule.Kind != fault.KindSlowBody {
		_, err := c.w.Write(p)
		return err == nil
	}
	return c.dribble(p, rule.Rate, 100, func(part []byte) bool {
		_, err := c.w.Write(part)
		return err == nil && c.flush()
	})
}

// dribble hands p to write in parts, at rate bytes per second, ten parts a second
// where the rate allows.
func (c *call) dribble(p []byte, rate, otherwise int, write func([]byte) bool) bool {
	if rate == 0 {
		rate = otherwise
	}
	for part := max(1, rate/10); len(p) > 0; {
		part = min(part, len(p))
		if !write(p[:part]) || !c.pause(time.Second*time.Duration(part)/time.Duration(rate)) {
			return false
		}
		p = p[part:]
	}
	return true
}

func (c *call) flush() bool { return http.NewResponseController(c.w).Flush() == nil }

func gzipped(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
