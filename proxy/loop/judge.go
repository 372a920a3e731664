package loop

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/echoes"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/carrier"
	"outrigger/proxy/decode"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// judge classifies the attempt.
func (x *Run) judge(a *attempt.Attempt) {
	c := classify.Attempt{
		Failure: x.failureFor(a), Progress: a.Reached(), Effect: x.Endpoint.Effect, Now: time.Now(), Keyed: x.isKeyed(),
	}
	if a.Resp != nil && a.Failure == classify.None {
		a.Told = unechoed(a.Resp.Header, x.request.Header)
		c.Status, c.Header, c.Progress = a.Resp.StatusCode, a.Told, classify.Answered
		a.Describe(&c)
	}
	a.Verdict = x.classified(c)
	if a.Failure == classify.Timeout && errors.Is(context.Cause(a.Ctx), apierror.ErrDeadline) && time.Since(a.Progress.Quiet()) < attempt.Impatience {
		a.Verdict.Breaker = classify.Ignore // one caller's impatience is not the upstream's failure
	}
	if errors.Is(a.Err, attempt.ErrPage) {
		// As a rule the path is not the API's: that comes again, and says nothing about others.
		a.Verdict.Breaker = classify.Ignore
		if a.Verdict.Repeat == classify.Backoff {
			a.Verdict.Repeat = classify.Once
		}
	}
	if a.Resp != nil && a.Verdict.Outcome != classify.OutcomeOK {
		x.conceal(a)
	}
}

// failureFor is what attempt a's failure counts as. What is malformed comes again, but not
// surely: calls like it may have been answered well just now, or stray bytes of the answer
// before stood on a kept connection. Then it is worth one repeat.
func (x *Run) failureFor(a *attempt.Attempt) classify.Failure {
	switch {
	case a.Failure != classify.Malformed:
	case a.Resp != nil && a.Resp.StatusCode >= http.StatusBadRequest:
		return classify.Broke // the status tells, although its body cannot be read
	case a.Progress.Reused.Load() && strings.Contains(a.Err.Error(), "malformed HTTP response"),
		x.Trend().SucceededAfter(time.Now().Add(-attempt.MalformedTime)):
		return classify.TooLarge
	}
	return a.Failure
}

// echoBody is how much of a request's body is looked through for what an answer quotes of it. Of a longer one it is not
// known what it says.
const echoBody = 8 << 20

// classified judges an answer. What it would decide for others must not rest on words of the request: upstreams quote what
// they refuse, and one caller's model may be called "insufficient balance".
func (x *Run) classified(c classify.Attempt) classify.Verdict {
	v := classify.Classify(c)
	if c.Failure != classify.None || len(c.Body) == 0 || !v.Spreads() {
		return v
	}
	if c.Echo = x.echoed(c.Body); c.Echo.None() {
		return v
	}
	return classify.Classify(c)
}

// echoed finds what of an answer the request had said.
func (x *Run) echoed(answer []byte) echoes.Parts {
	if x.Once != nil || x.Encoded.Unread != "" || x.Kept != nil && x.Kept.Size() > echoBody {
		return echoes.Parts{All: true}
	}
	f := echoes.NewFinder(answer)
	f.Value(x.model)
	f.Value(x.Facts.Model)
	for segment := range strings.SplitSeq(x.Path, "/") {
		f.Value(segment)
	}
	for pair := range strings.FieldsFuncSeq(x.request.URL.RawQuery, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		f.Value(unescaped(name))
		f.Value(unescaped(value))
	}
	for _, values := range x.request.Header {
		for _, value := range values {
			f.Value(value)
		}
	}
	if x.Kept != nil && !x.echoBodyTo(f) {
		return echoes.Parts{All: true}
	}
	return f.Found()
}

// unescaped returns a part of a query as it is meant. A bad escape stays.
func unescaped(part string) string {
	if meant, err := url.QueryUnescape(part); err == nil {
		return meant
	}
	return part
}

// echoBodyTo shows the request's body to f, and reports whether all of it was read.
func (x *Run) echoBodyTo(f *echoes.Finder) bool {
	src := io.ReadCloser(x.Kept.Reader())
	if len(x.Encoded.Codings) > 0 {
		decoded, _, err := decode.Open(strings.Join(x.Encoded.Codings, ","), src, echoBody)
		if err != nil {
			return false
		}
		src = decoded
	}
	defer src.Close()
	buf := response.Buffers.Get()
	defer response.Buffers.Put(buf)
	for {
		n, err := src.Read(*buf)
		f.Body((*buf)[:n])
		if err != nil {
			return err == io.EOF
		}
	}
}

// echoable are the headers by which an answer tells of limits and of when to come again.
var echoable = [...]string{"Retry-After", "X-Ratelimit-", "X-Rate-Limit-", "Ratelimit", "Anthropic-Ratelimit-", "X-Tokenlimit-", "X-Should-Retry", "X-Ms-Retry-After-Ms", "Date"}

// unechoed returns an answer's headers without those about limits that the request sent alike: a server that mirrors
// headers tells nothing by them.
func unechoed(answer, request http.Header) http.Header {
	kept := answer
	for name, values := range request {
		if !tellsOfLimits(name) {
			continue
		}
		if mirrored := answer[name]; len(mirrored) == 0 || !slices.Equal(mirrored, values) {
			continue
		}
		if len(kept) == len(answer) {
			kept = answer.Clone()
		}
		delete(kept, name)
	}
	return kept
}

func tellsOfLimits(name string) bool {
	if name == "" || strings.IndexByte("RXAD", name[0]) < 0 { // as most headers of a request
		return false
	}
	for _, begin := range echoable {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

// Mask hides credentials in what an upstream said, which goes to the log or into an error
// of Outrigger's own: those that the request was sent with, and what looks like one, since no
// pattern knows every kind of key. They are hidden before the text is cut: half a key is no match.
func (x *Run) Mask(message string) string {
	for _, secret := range x.quotable() {
		message = strings.ReplaceAll(message, secret, carrier.Masked)
	}
	return wire.MaskKeys(message)
}

// conceal masks what an upstream's error says.
func (x *Run) conceal(a *attempt.Attempt) {
	e := &a.Verdict.Error
	for _, field := range [...]*string{&e.Type, &e.Code, &e.Param, &e.Message} {
		if *field != "" {
			*field = x.Mask(*field)
		}
	}
}

// quotable are the secrets that an answer could quote of the request as the upstream got it,
// the longest first: one may be a part of another.
func (x *Run) quotable() []string {
	if x.Outbound == nil {
		return nil
	}
	secrets := carrier.Secrets(x.Outbound.Header, x.Outbound.URL.RawQuery, x.Credentials.Own...)
	own := x.Up.Secrets.Load()
	for _, value := range slices.Concat(own.Values, own.Before) {
		if len(value) >= carrier.MinSecret {
			secrets = append(secrets, value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}
