package sim

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"outrigger/internal/sim/fault"
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
		c.send(answer{status: rule.DefaultStatus(), contentType: "text/html", body: []byte(page)}, rule)
	case fault.KindStatus:
		c.send(statusAnswer(rule), rule)
	default:
		c.send(rowAnswer(rule.Row, rule.Headers), rule)
	}
}

// hang gives no answer, for d or until the client leaves; then it hangs up. The
// server notices a client that leaves only when the request has been read.
func (c *call) hang(d time.Duration) {
	if _, err := discard(c.r.Body); err == nil {
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
func (c *call) spoil(a answer, rule *fault.Rule) bool {
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
		if a.events != nil {
			a.body, a.events = a.whole(), nil
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

// statusAnswer is the answer of a status rule: its own body, or OpenAI's for that status.
func statusAnswer(rule *fault.Rule) answer {
	a := answer{status: rule.Status, contentType: "application/json", body: []byte(rule.Body), header: headerOf(rule.Headers)}
	if rule.Body == "" && rule.Status >= http.StatusBadRequest {
		a.body = openaiError(rule.Status).body()
	}
	return a
}

// rowAnswer is the answer that a row records, with headers added. The row's
// Content-Length is dropped: the server tells the true one.
func rowAnswer(id string, more map[string]string) answer {
	row, err := fault.FindRow(id)
	if err != nil {
		return jsonAnswer(http.StatusInternalServerError, err.Error())
	}
	header := headerOf(row.Headers)
	for name, values := range headerOf(more) {
		header[name] = values
	}
	header.Del("Content-Length")
	a := answer{status: row.Status, header: header, body: []byte(row.Body)}
	a.contentType = cmp.Or(header.Get("Content-Type"), "application/json")
	return a
}

func headerOf(m map[string]string) http.Header {
	h := make(http.Header, len(m))
	for name, value := range m {
		h.Set(name, value)
	}
	return h
}

func statusLine(status int) string {
	return strings.TrimSpace(strings.Join([]string{itoa(status), http.StatusText(status)}, " "))
}
