package stream

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/decode"
	"outrigger/proxy/gate"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

const (
	// resumeAnswer is how long the headers of a resumed stream may take.
	resumeAnswer = 30 * time.Second
	// resumePause is the wait after a resume in vain: a restart or a change of instances
	// takes a few seconds.
	resumePause = 2 * time.Second
)

// resume asks for the rest of the stream, and reports whether it comes.
func (r *resuming) resume() bool {
	ctx, cancel := context.WithCancelCause(r.x.Ctx)
	unlink := context.AfterFunc(r.a.Ctx, func() { cancel(context.Cause(r.a.Ctx)) })
	resp, err := r.ask(ctx, cancel) //nolint:bodyclose // it is the stream
	if err != nil {
		unlink()
		cancel(apierror.ErrAbandoned)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.src, r.stop = resp.Body, cancel
	r.again, r.fresh, r.behind, r.silent = true, false, false, false
	if r.closed {
		r.Release(apierror.ErrFinished)
	}
	return true
}

var errResume = errors.New("the stream cannot be resumed")

// ask waits as any call does, for a failed resume, the breaker and the rate limit, and
// then sends the one GET.
func (r *resuming) ask(ctx context.Context, cancel context.CancelCauseFunc) (*http.Response, error) {
	if err := r.pause(ctx); err != nil {
		return nil, err
	}
	if err := r.passGate(ctx); err != nil {
		return nil, err
	}
	pl := &admission.Ticket{}
	defer func() { pl.Leave(time.Now()) }()
	if err := r.admit(ctx, pl); err != nil {
		return nil, err
	}
	leave, err := r.up.Gate.Allow()
	if err != nil {
		r.tell(", and it could not be resumed: upstream \"" + r.up.Config.Name + "\" fails")
		r.note(resumeUnreachable, 0)
		return nil, err
	}
	r.began = time.Now()
	p := &attempt.Progress{Began: r.began}
	req := r.get(httptrace.WithClientTrace(ctx, p.Trace(nil, pl, pl.Turn, cancel)))
	timer := time.AfterFunc(min(resumeAnswer, time.Until(r.limit())), func() { cancel(apierror.ErrAttemptTimeout) })
	defer timer.Stop()
	resp, err := r.up.Transport(false, false, r.began).RoundTrip(req)
	if err == nil {
		if err = response.Check(resp); err != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		leave.Report(r.blame(p, err))
		if r.a.Ctx.Err() == nil {
			r.tell(", and it could not be resumed: there was no answer (" + noAnswer(ctx, p, err) + ")")
			r.note(resumeUnreachable, 0)
		}
		return nil, err
	}
	pl.Sent(time.Now(), pl.Turn)
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Encoding") == "" && isStream(resp) {
		leave.Report(classify.Success)
		pl.Answered(time.Now(), limit.Told{Headers: limit.ParseHeaders(resp.Header, time.Now())})
		return resp, nil
	}
	v := r.refusal(resp)
	leave.Report(v.Breaker)
	return nil, errResume
}

// isStream reports whether an answer to a resume is a stream. Where it is labelled as JSON its first
// byte tells: some servers label their streams so.
func isStream(resp *http.Response) bool {
	if wire.MediaType(resp.Header) != "application/json" {
		return true
	}
	body := bufio.NewReader(resp.Body)
	first, err := body.Peek(1)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	return err == nil && first[0] != '{' && first[0] != '['
}

// blame is what a resume without an answer says about the upstream.
func (r *resuming) blame(p *attempt.Progress, err error) classify.BreakerAction {
	if r.a.Ctx.Err() != nil || !p.Connected.Load() && resources.Shortage(err) != "" {
		return classify.Ignore
	}
	return classify.Fault
}

// noAnswer says in words why there was no answer.
func noAnswer(ctx context.Context, p *attempt.Progress, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), apierror.ErrAttemptTimeout):
		return "timeout"
	case !p.Connected.Load():
		return attempt.ConnectFailure(err)
	}
	return attempt.BrokenConnection(err)
}

// refusal reads an answer that is not the rest of the stream.
func (r *resuming) refusal(resp *http.Response) classify.Verdict {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, response.HoldError))
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		body, _ = decode.Body(coding, body, response.HoldError)
	}
	v := classify.Classify(classify.Attempt{
		Status: resp.StatusCode, Header: resp.Header, Body: body, Progress: classify.Answered, Effect: endpoint.Read, Now: time.Now(),
	})
	r.hint = v.Wait
	said := ", and the upstream would not resume it after event " + strconv.FormatInt(r.last, 10) + ": it answered " + strconv.Itoa(resp.StatusCode)
	if resp.StatusCode == http.StatusOK {
		said += " without a stream"
	}
	if message := r.x.Mask(v.Error.Message); message != "" {
		said += " (" + message + ")"
	}
	r.tell(said)
	r.note(resumeRefused, resp.StatusCode)
	return v
}

// pause waits after a resume in vain, for as long as it named if it did.
func (r *resuming) pause(ctx context.Context) error {
	if r.fails == 0 {
		return nil
	}
	wait := max(resumePause, r.hint)
	if !time.Now().Add(wait).Before(r.limit()) {
		return errResume // what was told of the last one stands
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// passGate waits at an open breaker.
func (r *resuming) passGate(ctx context.Context) error {
	if !r.up.Gate.Shut() {
		return nil
	}
	until := time.Now().Add(r.x.BreakerWait)
	if at := r.limit(); at.Before(until) {
		until = at
	}
	err := r.up.Gate.Wait(ctx, r.account, until, false)
	if errors.Is(err, gate.ErrShut) {
		r.tell(", and it could not be resumed: upstream \"" + r.up.Config.Name + "\" fails")
		r.note(resumeUnreachable, 0)
	}
	return err
}

// admit waits in the queue that all reads of responses wait in.
func (r *resuming) admit(ctx context.Context, pl *admission.Ticket) error {
	now := time.Now()
	pl.Take(r.up.Queues.Of(admission.Key{Credential: r.account, Model: r.x.Endpoint.Name}, now), limit.Waiter{
		Tokens: 1, Deadline: r.limit(), Priority: r.x.Priority, Caller: cmp.Or(r.x.CallerKey, r.account.Key()),
	})
	d := pl.Queue.Enter(pl, now)
	if d.Reason != limit.Admitted && d.Reason != limit.Queued {
		r.tell(", and it could not be resumed within upstream \"" + r.up.Config.Name + "\"'s rate limit")
		r.note(resumeUnreachable, 0)
		return admission.LineRefusal(d, r.up.Config.Name)
	}
	return pl.Wait(ctx)
}
