package loop

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/response"
	"outrigger/proxy/stream"
	"outrigger/proxy/usage"
)

// commit hands a's answer to the relay, or the error that stands for its lack.
func (x *Run) commit(out *http.Request, a *attempt.Attempt) (*http.Response, error) {
	x.StopTimer()
	x.concludeAnswer(a)
	if x.Kept != nil {
		a.Progress.LetGo(x.Kept) // a stream may last for long, and nothing is sent again
	}
	x.Record.Verdict = a.Verdict
	if a.Accepted() {
		x.Ticket.Queue.Answers.Add(x.answerKind(), time.Since(a.Started))
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
		return resp // see package tunnel
	}
	stream.Serve(x.serves(), a, x.Homes.Learner(&x.Affinity, x.Call, x.Up.API, resp), x.Batches.Reader(x.Call, x.Up.Config.Name, resp))
	return resp
}

// serves is what the present attempt's answer needs of the run.
func (x *Run) serves() *stream.Serving {
	if x.serving.Up == x.Up && x.serving.Call != nil { // an answer that is peeked into may be read by it already
		return &x.serving
	}
	x.serving = stream.Serving{
		Call: x.Call, Host: x, Record: &x.Record, Ctx: x.Ctx, Up: x.Up, Recorder: x.Recorder,
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

// kept gives the caller an answer that was kept, and notes it in the record.
func (x *Run) kept(out *http.Request, s *response.Buffered) *http.Response {
	r := &x.Record
	r.Verdict, r.First, r.BytesOut = s.Verdict, time.Since(x.Start), int64(len(s.Body))
	r.Failed(s.Verdict.Error)
	return s.Response(out)
}

// committed notes what is known when a's answer goes to the relay.
func (x *Run) committed(a *attempt.Attempt) {
	r := &x.Record
	r.First = time.Since(x.Start)
	r.UpstreamID = a.Resp.Header.Get("X-Request-Id")
	if r.UpstreamID == "" {
		r.UpstreamID = a.Resp.Header.Get("Request-Id") // Anthropic
	}
	if a.Held != nil && a.Watcher == nil {
		opening, _ := a.Held.Opening()
		if a.Decoded != nil {
			opening, a.Decoded = a.Decoded, nil
		}
		counts := usage.Of(opening)
		r.PromptTokens, r.CompletionTokens = counts.Prompt(), counts.Completion()
	}
	if a.Verdict.Outcome != classify.OutcomeOK {
		r.Failed(a.Verdict.Error)
	}
}
