package proxy

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
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
	serve(x.serves(), a, x.homes.learner(&x.affinity, x.Call, x.up.API, resp))
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

// mayResume reports whether the answer may be a stream that is resumed: that of a background
// response.
func (x *Run) mayResume() bool {
	if !x.config.Resume || x.endpoint.Dialect != endpoint.Responses {
		return false
	}
	return x.method == http.MethodGet || x.method == http.MethodPost && x.facts.Background && x.facts.Stream
}
