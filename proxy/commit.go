package proxy

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
)

// commit hands a's answer to the relay, or the error that stands for its lack.
func (x *Run) commit(out *http.Request, a *attempt) (*http.Response, error) {
	x.stopTimer()
	x.concludeAnswer(a)
	if x.body != nil {
		a.progress.letGo(x.body) // a stream may last for long, and nothing is sent again
	}
	x.record.verdict = a.verdict
	if a.accepted() {
		x.place.line.answers.add(x.answerKind(), time.Since(a.started))
	}
	if a.failure == classify.None && a.mute() {
		defer a.finish(errFinished)
		return nil, x.unkept(a)
	}
	if a.failure == classify.None {
		return x.relayed(out, a), nil
	}
	a.finish(errFinished)
	return nil, x.lost(a)
}

// relayed makes a's answer the committed one: from here on its body is watched
// to its true end.
func (x *Run) relayed(out *http.Request, a *attempt) *http.Response {
	resp := a.resp
	x.committed(a)
	if a.masked() {
		s := a.unmask()
		a.finish(errFinished)
		return s.response(out)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp // see tunnel
	}
	answer := &answer{x: x.serves(), a: a, began: time.Now(), src: a.body, idle: x.silence(a), learner: x.homes.learner(&x.affinity, x.Call, x.up.API, resp), list: x.listens(a)}
	if a.watcher != nil || mediaType(resp.Header) == typeEvents {
		answer.stream = true
		x.recorder.Begin(SpanStream, x.up.config.Name)
	}
	if a.content.what() < kindText {
		// What Outrigger may have to add would not fit in, and a stream that was cut
		// where the length ends would look whole. Without it each read is flushed, so
		// that what a cut one had is not lost with its end.
		delete(resp.Header, "Content-Length")
		resp.ContentLength = -1
	}
	resp.Body = answer
	// ReverseProxy flushes after each read of a body of unknown length. One that is
	// held whole, or empty, goes out with its headers, in one piece.
	switch {
	case a.held.complete():
		x.withhold()
	case a.body == http.NoBody:
		resp.ContentLength = max(resp.ContentLength, 0)
	default:
		resp.ContentLength = -1
	}
	return resp
}

// serves is what the present attempt's answer needs of the run.
func (x *Run) serves() *serving {
	x.serving = serving{
		Call: x.Call, streamHost: x, record: &x.record, ctx: x.ctx, up: x.up, recorder: x.recorder,
		idle: x.streamIdle(), breakerWait: x.config.Breaker.Wait,
	}
	return &x.serving
}
