package loop

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/stream"
)

// commit hands a's answer to the relay, or the error that stands for its lack.
func (x *Run) commit(out *http.Request, a *attempt.Attempt) (*http.Response, error) {
	x.StopTimer()
	x.concludeAnswer(a)
	if x.Body1 != nil {
		a.Progress.LetGo(x.Body1) // a stream may last for long, and nothing is sent again
	}
	x.Record.Verdict = a.Verdict
	if a.Accepted() {
		x.Place.Line.Answers.Add(x.answerKind(), time.Since(a.Started))
	}
	if a.Failure == classify.None && a.Mute() {
		defer a.Finish(apierror.ErrFinished)
		return nil, x.unkept(a)
	}
	if a.Failure == classify.None {
		return x.relayed(out, a), nil
	}
	a.Finish(apierror.ErrFinished)
	return nil, x.lost(a)
}

// relayed makes a's answer the committed one: from here on its body is watched
// to its true end.
func (x *Run) relayed(out *http.Request, a *attempt.Attempt) *http.Response {
	resp := a.Resp
	x.committed(a)
	if a.Masked() {
		s := a.Unmask()
		a.Finish(apierror.ErrFinished)
		return s.Response(out)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp // see tunnel
	}
	stream.Serve(x.serves(), a, x.Homes.Learner(&x.Affinity, x.Call, x.Up.API, resp))
	return resp
}

// serves is what the present attempt's answer needs of the run.
func (x *Run) serves() *stream.Serving {
	x.serving = stream.Serving{
		Call: x.Call, StreamHost: x, Record: &x.Record, Ctx: x.Ctx, Up: x.Up, Recorder: x.Recorder,
		Idle: x.StreamIdle(), BreakerWait: x.Config.Breaker.Wait,
	}
	return &x.serving
}

// MayResume reports whether the answer may be a stream that is resumed: that of a background
// response.
func (x *Run) MayResume() bool {
	if !x.Config.Resume || x.Endpoint.Dialect != endpoint.Responses {
		return false
	}
	return x.Method == http.MethodGet || x.Method == http.MethodPost && x.Facts.Background && x.Facts.Stream
}
