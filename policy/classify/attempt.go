package classify

import (
	"slices"
	"strings"
	"time"

	"outrigger/policy/classify/hint"
	"outrigger/policy/echoes"
	"outrigger/policy/endpoint"
	"outrigger/policy/httpfield"
)

// Attempt is all that is known of one try at an upstream when it is judged.
// The zero value is an attempt that reached nobody.
type Attempt struct {
	// Status is the HTTP status of the answer, 0 when there was none.
	Status int
	// Header holds the answer's headers under canonical names; an http.Header fits. It is only read.
	Header map[string][]string
	// Body is the start of the answer after Content-Encoding was undone, at most 64 KiB.
	// For a stream it is the data of the first meaningful event. It is only read, and not kept.
	Body []byte
	// Failure says what went wrong below HTTP; None when a whole answer came.
	Failure Failure
	// Progress says how far the request got. It is Answered whenever Status is not 0.
	Progress Progress
	// Effect is what carrying out the request does at the upstream.
	Effect endpoint.Effect
	// Now is the time at which the answer came, from which dates count.
	Now time.Time
	// Keyed says that a call with the request's Idempotency-Key may be under way already: one
	// of the caller's own, or an earlier attempt that did not end.
	Keyed bool
	// Echo is what of Body the request had said: those words are the caller's, and nothing is judged by them.
	Echo echoes.Parts
	// Stream says that Body is an event of a stream that began with a 2xx, and Event is its name.
	Stream bool
	Event  string
}

// Progress is how far a request got towards the upstream's application.
type Progress uint8

// How far a request got. The zero value is NotSent.
const (
	// NotSent means that surely nothing reached the application.
	NotSent Progress = iota
	// Sent means that some or all of the request may have reached it.
	Sent
	// Answered means that at least the answer's headers came back.
	Answered
)

// String returns the progress in lower case, for logs.
func (p Progress) String() string { return name(p, "not_sent", "sent", "answered") }

// Failure is what went wrong below HTTP.
type Failure uint8

// The failures below HTTP. The zero value is None.
const (
	// None means that the transport did its work.
	None Failure = iota
	// Unreachable means that dial, DNS or TLS failed.
	Unreachable
	// Refused means that HTTP/2 says the stream was not processed: REFUSED_STREAM,
	// or a GOAWAY whose last stream is below this one (RFC 9113, sections 6.8 and 8.7).
	Refused
	// Broke means a reset, an early end, garbage instead of HTTP, or an answer that broke off.
	Broke
	// Timeout means that the attempt's own time ran out.
	Timeout
	// TooLarge means an answer that cannot be used, such as a header without end.
	TooLarge
	// Canceled means that the caller left.
	Canceled
	// Malformed means an answer that is not valid HTTP, and would be the next time.
	Malformed
	// Starved means that this machine had no descriptor, port or memory left to connect with.
	Starved
)

// String returns the failure in lower case, for logs.
func (f Failure) String() string {
	return name(f, "none", "unreachable", "refused", "broke", "timeout", "too_large", "canceled", "malformed", "starved")
}

// name returns the i-th name, or "unknown" for a value outside the list.
func name[E ~uint8](i E, names ...string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}

// reply is an attempt made ready for the rules.
type reply struct {
	Attempt
	said
	// status is the HTTP status that the answer stands for.
	status int
	// told is what the text says about the limit, wait how long the answer as a whole asks to wait,
	// waitFull whether that is until all of a limit is there again.
	told     Limits
	wait     time.Duration
	waitFull bool
	// textWait and textAt are the wait and the instant that the text names.
	textWait time.Duration
	textAt   time.Time
}

// said is what a body says, in all the shapes it comes in.
type said struct {
	// echo is what the request had said of it: no text or code holds it.
	echo echoes.Parts
	// clock is what the server's clock showed when the answer came: instants in it are by that clock.
	clock time.Time
	// nodes is how many values were searched for times.
	nodes  int
	fields ErrorFields
	// codes are the lower-cased codes and types, those of inner errors included, the most specific first.
	codes []string
	// named is what the codes say by their words.
	named named
	// firm is named without codes that are sentences, which may quote.
	firm named
	// text is the lower-cased wording in which phrases are looked for.
	text string
	// all is text and what the upstream quotes from its own provider: for hints and capacity, not for money.
	all string
	// page is the lower-cased beginning of a web page, in which only hints are looked for.
	page string
	// api says that the body is JSON with some error in it, html that it is a web page.
	api, html bool
	// envelope says that it is Anthropic's {"type":"error","error":{…}}.
	envelope bool
	// codeText is the code if it was written as a string: Azure and LiteLLM write "429".
	codeText string
	// inner is the status that the body names, 0 if none.
	inner int
	// provider says that a provider behind an aggregator failed, not the aggregator's own limit.
	provider bool
	// byok says that the provider's limits are the caller's own: it brought the provider's key.
	byok bool
	// retryable is OpenRouter's availability.retryable, nil when it is not told.
	retryable *bool
	// quotaIDs and quotaValue come from Google's QuotaFailure.
	quotaIDs   []string
	quotaValue string
	// retryInfo is the wait in Google's RetryInfo; retryAfter that of a field about coming again, resetAfter
	// of one about all being there again; 0 when not told.
	retryInfo, retryAfter, resetAfter time.Duration
	// estimated is Hugging Face's estimated_time until a model is loaded, 0 when not told.
	estimated time.Duration
	// retryAt and resetsAt are the same as instants, zero when not told.
	retryAt, resetsAt time.Time
	// headers are those that the body quotes, under canonical names.
	headers map[string][]string
}

// read prepares an attempt.
func read(a Attempt) *reply {
	r := &reply{Attempt: a, status: a.Status}
	if a.Status != 0 {
		r.Progress = Answered
	}
	if a.Failure != None || a.Status == 0 {
		return r
	}
	r.said = parse(a.Body, first(a.Header, "Content-Type"), httpfield.Clock(a.Header, a.Now), a.Echo)
	// Bedrock names its exception in a header, with the address of its shape behind a colon.
	exception, _, _ := strings.Cut(first(a.Header, "X-Amzn-Errortype"), ":")
	r.code(exception)
	if a.Status < 300 {
		r.status = r.standsFor()
	}
	if r.status == 400 || r.status == 422 {
		// Validation errors may quote the prompt (FastAPI's "input", vLLM's message).
		r.text, r.all = cut(r.text, echoFree), cut(r.all, echoFree)
	}
	r.told = r.limits()
	r.textWait, r.textAt = hint.InText(cut(r.all, hintMax)+r.pageHint(), r.clock)
	r.wait, r.waitFull = r.hint()
	return r
}

// hintMax is how much of a text is searched for hints, pageMax of a page.
const (
	hintMax = 2 << 10
	pageMax = 1 << 10
)

// pageHint returns what of a page may hold a hint: Google's load balancer says "Please try again in 30 seconds." in one.
func (r *reply) pageHint() string {
	if !saysAny(r.page, "try again in", "retry in", "retry after") {
		return ""
	}
	return r.page
}

// echoFree is how many bytes of a validation error's text are searched for phrases. The longest
// prefix seen before a provider's own sentence is LiteLLM's, about 120 bytes.
const echoFree = 240

// has reports whether the answer carries any of the codes.
func (r *reply) has(set codeSet) bool {
	return slices.ContainsFunc(r.codes, func(c string) bool { return set[c] })
}

// hasPart reports whether any code contains the part.
func (r *reply) hasPart(part string) bool {
	return slices.ContainsFunc(r.codes, func(c string) bool { return strings.Contains(c, part) })
}

// saysAny reports whether text, which must be lower-cased, contains any of the phrases.
func saysAny(text string, phrases ...string) bool {
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
}

// first returns the first value of a header, by its canonical name, without white space around it.
func first(h map[string][]string, name string) string {
	if v := h[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}
