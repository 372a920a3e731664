package sim

import (
	"cmp"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/reply"
)

// htmlPage is what a reverse proxy in front of an API answers when that is away.
const htmlPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n" +
	"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

// isInstead reports whether the rule sends something instead of the answer.
func isInstead(rule *fault.Rule) bool {
	info, _ := rule.Kind.Info()
	return info.Instead && !rule.Stream()
}

// strikeUnread applies the rules that do not wait for the request's body, and
// reports whether one struck.
func (c *call) strikeUnread() bool {
	rule := c.sim.faults.Pick(time.Now(), c.faultRequest(true))
	if rule == nil {
		return false
	}
	c.fault = rule.Name()
	c.strike(rule)
	return true
}

// strike does what a rule sends instead of the answer.
func (c *call) strike(rule *fault.Rule) {
	switch rule.Kind {
	case fault.KindReset:
		c.reset()
	case fault.KindClose:
		c.hangUp()
	case fault.KindHang:
		c.hang(rule.For)
	case fault.KindGarbage:
		text := cmp.Or(rule.Body, "\x16\x03\x01\x02\x00SSH-2.0-garbage\r\n\x00\xff{\"not\":\"http\"}\r\n\r\n")
		c.raw(func(w *wire) { w.put([]byte(text)) })
	case fault.KindEndlessHeader:
		c.raw(func(w *wire) {
			if w.put([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")) {
				w.forever([]byte("X-Padding: "+strings.Repeat("a", 100)+"\r\n"), rule.Bytes)
			}
		})
	case fault.KindEndlessBody:
		c.endlessBody(rule)
	case fault.KindHTML:
		page := strings.ReplaceAll(htmlPage, "502 Bad Gateway", statusLine(rule.DefaultStatus()))
		c.send(reply.Answer{Status: rule.DefaultStatus(), ContentType: "text/html", Body: []byte(page)}, rule)
	case fault.KindStatus:
		c.send(reply.FromRule(rule), rule)
	default:
		c.send(reply.FromRow(rule.Row, rule.Headers), rule)
	}
}

// hang gives no answer, for d or until the client leaves; then it hangs up. The
// server notices a client that leaves only when the request has been read.
func (c *call) hang(d time.Duration) {
	if _, err := io.Copy(io.Discard, c.r.Body); err == nil {
		c.wait(d)
	}
	c.hangUp()
}

// endlessBody sends an error whose message goes on and on.
func (c *call) endlessBody(rule *fault.Rule) {
	c.w.Header().Set("Content-Type", "application/json")
	c.writeHeader(rule.DefaultStatus())
	piece := []byte(strings.Repeat("all work and no play makes an endless body ", 100))
	_, err := c.w.Write([]byte(`{"error":{"type":"server_error","message":"`))
	for sent := 0; err == nil && (rule.Bytes == 0 || sent < rule.Bytes); sent += len(piece) {
		_, err = c.w.Write(piece)
		if c.sim.ctx.Err() != nil || c.r.Context().Err() != nil {
			return
		}
	}
	if err == nil {
		_, _ = c.w.Write([]byte(`","param":null,"code":null}}`))
	}
}

// spoil applies a rule that cannot be applied while the answer is being written,
// and reports whether it sent it.
func (c *call) spoil(a reply.Answer, rule *fault.Rule) bool {
	switch rule.Kind {
	case fault.KindLongLength:
		c.sendWrongLength(a, cmp.Or(rule.Bytes, 100))
	case fault.KindShortLength:
		c.sendWrongLength(a, -cmp.Or(rule.Bytes, 10))
	case fault.KindSlowHeaders:
		c.sendSlowHead(a, rule)
	case fault.KindBadGzip:
		c.w.Header().Set("Content-Encoding", "gzip")
		return false
	case fault.KindGzip:
		if a.Events != nil {
			a.Body, a.Events = a.Whole(), nil
		}
		c.sendBody(a, rule)
	case fault.KindEarlyHints:
		c.w.Header().Set("Link", "</v1/models>; rel=preload")
		c.w.WriteHeader(http.StatusEarlyHints)
		return false
	default:
		return false
	}
	return true
}

func statusLine(status int) string {
	return strings.TrimSpace(strings.Join([]string{strconv.Itoa(status), http.StatusText(status)}, " "))
}
