package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// errPage is why a web page is no answer: it came where an API answers.
var errPage = errors.New("a web page instead of JSON")

// errEmpty is why an answer without content is no answer.
var errEmpty = errors.New("an empty body instead of JSON")

// owesContent reports whether an answer of a's cannot be empty: it is what was computed. What
// merely makes, changes or removes something may be answered by its status alone.
func (a *attempt) owesContent() bool {
	x := a.call
	computes := x.endpoint.Effect == endpoint.Compute || x.isCreate() && x.endpoint.Dialect != endpoint.Unknown
	return computes && a.resp.StatusCode == http.StatusOK && x.owesJSON()
}

// isBlank reports whether text has nothing but white space in it.
func isBlank(text []byte) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark)))) == 0
}

// wrong returns why an answer with a good status is none: no client can read it, and
// nothing of it was passed on. Opening is what was held of it, all of it if it ended.
func (a *attempt) wrong(opening []byte, ended bool) error {
	x := a.call
	if !isSuccess(a.resp.StatusCode) || a.resp.StatusCode == http.StatusPartialContent {
		return nil
	}
	text := opening
	if decoded := a.content.taken(); decoded != nil && ended {
		a.decoded, text = decoded, decoded
	} else if ended && a.content.encoded() && !a.content.lost() {
		text = nil // it encodes nothing
	}
	switch {
	case !ended:
		if a.watcher == nil && x.owesJSON() && isPage(opening) && !a.content.encoded() {
			return errPage
		}
		return nil
	case a.watcher != nil:
		if a.neverBegan() {
			return io.ErrUnexpectedEOF
		}
	case a.content.torn():
		return io.ErrUnexpectedEOF
	case x.deliversFiles():
	case a.owesContent() && isBlank(text):
		return errEmpty
	case x.owesJSON() && isPage(text):
		return errPage
	case classify.Truncated(text):
		return io.ErrUnexpectedEOF
	}
	return nil
}

// isPage reports whether text is markup: HTML, or the XML that storage answers with.
func isPage(text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text[:min(len(text), leadMax)], []byte("\ufeff")))
	return len(text) > 1 && text[0] == '<' && (text[1] == '!' || text[1] == '?' || 'a' <= text[1]|0x20 && text[1]|0x20 <= 'z')
}

// lookAt tells the content of a short answer that is held whole.
func (a *attempt) lookAt(l labels) {
	opening, err := a.held.opening()
	if l.encoding == "" && len(opening) > 0 && (opening[0] == '{' || opening[0] == '[') || !errors.Is(err, io.EOF) {
		return // as nearly all are
	}
	a.content = newContent(l)
	_, _ = a.content.Write(opening)
	a.content.end()
	a.content.close()
}

// statusMark is the comment in which DashScope tells the status of an error event (Model
// Studio, API reference of text generation, "event:error", ":HTTP_STATUS/400").
const statusMark = ":HTTP_STATUS/"

// statusInside returns the status that a comment before offset end tells of, 0 if none does.
func (a *attempt) statusInside(end int64) int {
	opening, _ := a.held.opening()
	if a.content.encoded() || end > int64(len(opening)) {
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
