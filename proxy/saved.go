package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"outrigger/policy/classify"
)

// saved is an upstream's whole answer, kept: that of the last attempt while
// another is made, or the refusal of a dead credential. Once made it is not
// changed, so that any number of callers can be given it at once.
type saved struct {
	status  int
	header  http.Header
	body    []byte
	verdict classify.Verdict
	caller  credential // whose it is, where others may ask for it
}

// savedBytes is about what an answer takes beside its body and headers.
const savedBytes = 512

// size is about how many bytes the answer takes, 0 for nil.
func (s *saved) size() int {
	if s == nil {
		return 0
	}
	n := savedBytes + cap(s.body)
	for name, values := range s.header {
		n += len(name) + 64
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// save keeps a's answer, or returns nil when it did not arrive whole.
func (a *attempt) save() *saved {
	if a.resp == nil || a.failure != classify.None {
		return nil
	}
	if a.masked() {
		return a.unmask()
	}
	s := &saved{status: a.resp.StatusCode, header: a.resp.Header, verdict: a.verdict}
	if a.held == nil {
		if a.resp.Body != http.NoBody {
			return nil
		}
		return s
	}
	opening, err := a.held.opening()
	if !errors.Is(err, io.EOF) {
		return nil
	}
	s.body = opening
	return s
}

// mute reports whether the answer is an error whose body never came.
func (a *attempt) mute() bool {
	return a.resp.StatusCode >= http.StatusBadRequest && errors.Is(context.Cause(a.ctx), errStreamIdle)
}

// masked reports whether the answer is an error under another status, 200 as a rule.
func (a *attempt) masked() bool {
	return a.verdict.Status != 0 && a.verdict.Status != a.resp.StatusCode
}

// unmask turns a masked error into an answer with the status that it stands for:
// SDKs take a stream request's 200 for a stream.
func (a *attempt) unmask() *saved {
	s := &saved{status: a.verdict.Status, header: a.resp.Header.Clone(), verdict: a.verdict}
	if w := a.watcher; w != nil {
		event, _ := a.held.failure(w)
		s.body = append([]byte(nil), event.Data...)
		if w.Aborted() != "" { // it tells of an answer, and no SDK finds an error in it
			s.body = w.Failure(codeInterrupted, brokenOff(a.host.mask, w))
		}
		s.header.Set("Content-Type", "application/json")
		s.header.Del("Content-Encoding")
	} else {
		s.body, _ = a.held.opening()
	}
	s.header.Del("Content-Length")
	return s
}

// kept gives the caller an answer that was kept, and notes it in the record.
func (x *Run) kept(out *http.Request, s *saved) *http.Response {
	r := &x.record
	r.verdict, r.first, r.bytesOut = s.verdict, time.Since(x.start), int64(len(s.body))
	r.failed(s.verdict.Error)
	return s.response(out)
}

// response returns the answer for one caller.
func (s *saved) response(out *http.Request) *http.Response {
	return &http.Response{
		StatusCode: s.status, Status: http.StatusText(s.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        s.header.Clone(),
		Body:          io.NopCloser(bytes.NewReader(s.body)),
		ContentLength: int64(len(s.body)),
		Request:       out,
	}
}

// withoutMoment returns s less the headers that were true only when the answer
// was given: a trip is told to later callers too.
func (s *saved) withoutMoment() *saved {
	header := s.header.Clone()
	for name := range header {
		if name == "Set-Cookie" || name == "Retry-After" || name == "Retry-After-Ms" || name == "X-Ms-Retry-After-Ms" ||
			strings.HasPrefix(name, "X-Ratelimit-") {
			delete(header, name)
		}
	}
	t := *s
	t.header = header
	return &t
}
