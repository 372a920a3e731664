package attempt

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// labels returns those of a's answer.
func (a *Attempt) labels() response.Labels {
	x := a.Call
	h := a.Resp.Header
	l := response.Labels{Kind: wire.MediaType(h), Encoding: h.Get("Content-Encoding"), Dialect: x.Endpoint.Dialect}
	owed := wire.IsSuccess(a.Resp.StatusCode) && x.OwesJSON()
	if !x.DeliversFiles() {
		l.Asked = l.Kind == wire.TypeEvents || wire.IsSuccess(a.Resp.StatusCode) && x.AsksForStream()
	}
	// Text alone may be the answer of those who take no notice of what was asked for: a transcript.
	l.Owed = l.Kind == wire.TypeEvents || l.Asked && (owed || wire.MayBeText(l.Kind) && !strings.HasPrefix(l.Kind, "text/"))
	l.Events = l.Asked || owed || l.Kind == wire.TypeJSON && wire.IsSuccess(a.Resp.StatusCode) && !x.DeliversFiles()
	l.Whole = l.Kind == wire.TypeJSON || owed && wire.MayBeText(l.Kind)
	return l
}

// ErrPage is why a web page is no answer: it came where an API answers.
var ErrPage = errors.New("a web page instead of JSON")

// ErrEmpty is why an answer without content is no answer.
var ErrEmpty = errors.New("an empty body instead of JSON")

// owesContent reports whether an answer of a's cannot be empty: it is what was computed. What
// merely makes, changes or removes something may be answered by its status alone.
func (a *Attempt) owesContent() bool {
	x := a.Call
	computes := x.Endpoint.Effect == endpoint.Compute || x.IsCreate() && x.Endpoint.Dialect != endpoint.Unknown
	return computes && a.Resp.StatusCode == http.StatusOK && x.OwesJSON()
}

// wrong returns why an answer with a good status is none: no client can read it, and
// nothing of it was passed on. Opening is what was held of it, all of it if it ended.
func (a *Attempt) wrong(opening []byte, ended bool) error {
	x := a.Call
	if !wire.IsSuccess(a.Resp.StatusCode) || a.Resp.StatusCode == http.StatusPartialContent {
		return nil
	}
	text := opening
	if decoded := a.Content.Taken(); decoded != nil && ended {
		a.Decoded, text = decoded, decoded
	} else if ended && a.Content.Encoded() && !a.Content.Lost() {
		text = nil // it encodes nothing
	}
	switch {
	case !ended:
		if a.Watcher == nil && x.OwesJSON() && response.IsPage(opening) && !a.Content.Encoded() {
			return ErrPage
		}
		return nil
	case a.Watcher != nil:
		if a.neverBegan() {
			return io.ErrUnexpectedEOF
		}
	case a.Content.Torn():
		return io.ErrUnexpectedEOF
	case x.DeliversFiles():
	case a.owesContent() && response.IsBlank(text):
		return ErrEmpty
	case x.OwesJSON() && response.IsPage(text):
		return ErrPage
	case classify.Truncated(text):
		return io.ErrUnexpectedEOF
	}
	return nil
}

// lookAt tells the content of a short answer that is held whole.
func (a *Attempt) lookAt(l response.Labels) {
	opening, err := a.Held.Opening()
	if l.Encoding == "" && len(opening) > 0 && (opening[0] == '{' || opening[0] == '[') || !errors.Is(err, io.EOF) {
		return // as nearly all are
	}
	a.Content = response.NewContent(l)
	_, _ = a.Content.Write(opening)
	a.Content.End()
	a.Content.Close()
}

// statusMark is the comment in which DashScope tells the status of an error event (Model
// Studio, API reference of text generation, "event:error", ":HTTP_STATUS/400").
const statusMark = ":HTTP_STATUS/"

// statusInside returns the status that a comment before offset end tells of, 0 if none does.
func (a *Attempt) statusInside(end int64) int {
	opening, _ := a.Held.Opening()
	if a.Content.Encoded() || end > int64(len(opening)) {
		return 0
	}
	for line := range bytes.Lines(opening[:end]) {
		if text, ok := bytes.CutPrefix(line, []byte(statusMark)); ok {
			if status, err := strconv.Atoi(string(bytes.TrimSpace(text))); err == nil && status >= 400 && status < 600 {
				return status
			}
		}
	}
	return 0
}
