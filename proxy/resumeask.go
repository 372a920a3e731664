package proxy

import (
	"bufio"
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
	"outrigger/proxy/decode"
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
	ctx, cancel := context.WithCancelCause(r.x.ctx)
	unlink := context.AfterFunc(r.a.ctx, func() { cancel(context.Cause(r.a.ctx)) })
	resp, err := r.ask(ctx, cancel) //nolint:bodyclose // it is the stream
	if err != nil {
		unlink()
		cancel(errAbandoned)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.src, r.stop = resp.Body, cancel
	r.again, r.fresh, r.behind, r.silent = true, false, false, false
	if r.closed {
		r.release(errFinished)
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
	pl := &place{}
	defer func() { pl.leave(time.Now()) }()
	if err := r.admit(ctx, pl); err != nil {
		return nil, err
	}
	leave, err := r.up.gate.allow()
	if err != nil {
		r.tell(", and it could not be resumed: upstream \"" + r.up.config.Name + "\" fails")
		r.note(resumeUnreachable, 0)
		return nil, err
	}
	r.began = time.Now()
	p := &progress{began: r.began}
	req := r.get(httptrace.WithClientTrace(ctx, p.trace(nil, pl, pl.turn, cancel)))
	timer := time.AfterFunc(min(resumeAnswer, time.Until(r.limit())), func() { cancel(errAttemptTimeout) })
	defer timer.Stop()
	resp, err := r.up.transport(false, false, r.began).RoundTrip(req)
	if err == nil {
		if err = enter(resp); err != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		leave.report(r.blame(p, err))
		if r.a.ctx.Err() == nil {
			r.tell(", and it could not be resumed: there was no answer (" + noAnswer(ctx, p, err) + ")")
			r.note(resumeUnreachable, 0)
		}
		return nil, err
	}
	pl.sent(time.Now(), pl.turn)
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Encoding") == "" && isStream(resp) {
		leave.report(classify.Success)
		pl.answered(time.Now(), limit.Told{Headers: limit.ParseHeaders(resp.Header, time.Now())})
		return resp, nil
	}
	v := r.refusal(resp)
	leave.report(v.Breaker)
	return nil, errResume
}

// isStream reports whether an answer to a resume is a stream. Where it is labelled as JSON its first
// byte tells: some servers label their streams so.
func isStream(resp *http.Response) bool {
	if mediaType(resp.Header) != "application/json" {
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
func (r *resuming) blame(p *progress, err error) classify.BreakerAction {
	if r.a.ctx.Err() != nil || !p.connected.Load() && resources.Shortage(err) != "" {
		return classify.Ignore
	}
	return classify.Fault
}

// noAnswer says in words why there was no answer.
func noAnswer(ctx context.Context, p *progress, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), errAttemptTimeout):
		return "timeout"
	case !p.connected.Load():
		return connectFailure(err)
	}
	return brokenConnection(err)
}

// refusal reads an answer that is not the rest of the stream.
func (r *resuming) refusal(resp *http.Response) classify.Verdict {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, holdError))
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		body, _ = decode.Body(coding, body, holdError)
	}
	v := classify.Classify(classify.Attempt{
		Status: resp.StatusCode, Header: resp.Header, Body: body, Progress: classify.Answered, Effect: endpoint.Read, Now: time.Now(),
	})
	r.hint = v.Wait
	said := ", and the upstream would not resume it after event " + strconv.FormatInt(r.last, 10) + ": it answered " + strconv.Itoa(resp.StatusCode)
	if resp.StatusCode == http.StatusOK {
		said += " without a stream"
	}
	if message := r.x.mask(v.Error.Message); message != "" {
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
	if !r.up.gate.shut() {
		return nil
	}
	until := time.Now().Add(r.x.breakerWait)
	if at := r.limit(); at.Before(until) {
		until = at
	}
	err := r.up.gate.wait(ctx, r.account, until, false)
	if errors.Is(err, errShut) {
		r.tell(", and it could not be resumed: upstream \"" + r.up.config.Name + "\" fails")
		r.note(resumeUnreachable, 0)
	}
	return err
}

// admit waits in the line that all reads of responses wait in.
func (r *resuming) admit(ctx context.Context, pl *place) error {
	now := time.Now()
	pl.take(r.up.lines.of(lineKey{r.account, r.x.endpoint.Name}, now), limit.Waiter{Tokens: 1, Deadline: r.limit()})
	d := pl.line.enter(pl, now)
	if d.Reason != limit.Admitted && d.Reason != limit.Queued {
		r.tell(", and it could not be resumed within upstream \"" + r.up.config.Name + "\"'s rate limit")
		r.note(resumeUnreachable, 0)
		return lineRefusal(d, r.up.config.Name)
	}
	return pl.wait(ctx)
}
