package attempt

import (
	"context"
	"errors"
	"io"
	"net/http"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/response"
)

// Save keeps a's answer, or returns nil when it did not arrive whole.
func (a *Attempt) Save() *response.Buffered {
	if a.Resp == nil || a.Failure != classify.None {
		return nil
	}
	if a.Masked() {
		return a.Unmask()
	}
	s := &response.Buffered{Status: a.Resp.StatusCode, Header: a.Resp.Header, Verdict: a.Verdict}
	if a.Held == nil {
		if a.Resp.Body != http.NoBody {
			return nil
		}
		return s
	}
	opening, err := a.Held.Opening()
	if !errors.Is(err, io.EOF) {
		return nil
	}
	s.Body = opening
	return s
}

// Mute reports whether the answer is an error whose body never came.
func (a *Attempt) Mute() bool {
	return a.Resp.StatusCode >= http.StatusBadRequest && errors.Is(context.Cause(a.Ctx), apierror.ErrStreamIdle)
}

// Masked reports whether the answer is an error under another status, 200 as a rule.
func (a *Attempt) Masked() bool {
	return a.Verdict.Status != 0 && a.Verdict.Status != a.Resp.StatusCode
}

// Unmask turns a masked error into an answer with the status that it stands for:
// SDKs take a stream request's 200 for a stream.
func (a *Attempt) Unmask() *response.Buffered {
	s := &response.Buffered{Status: a.Verdict.Status, Header: a.Resp.Header.Clone(), Verdict: a.Verdict}
	if w := a.Watcher; w != nil {
		event, _ := a.Held.Failure(w)
		s.Body = append([]byte(nil), event.Data...)
		if w.Aborted() != "" { // it tells of an answer, and no SDK finds an error in it
			s.Body = w.Failure(CodeInterrupted, BrokenOff(a.Host.Mask, w))
		}
		s.Header.Set("Content-Type", "application/json")
		s.Header.Del("Content-Encoding")
	} else {
		s.Body, _ = a.Held.Opening()
	}
	s.Header.Del("Content-Length")
	return s
}
