package loop

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"outrigger/policy/classify"
	"outrigger/policy/echoes"
	"outrigger/proxy/decode"
	"outrigger/proxy/response"
)

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
	if x.Once != nil || x.Encoded.Unread != "" || x.Body1 != nil && x.Body1.Size() > echoBody {
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
	if x.Body1 != nil && !x.echoBodyTo(f) {
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
	src := io.ReadCloser(x.Body1.Reader())
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
		mirrored := answer[name]
		if len(mirrored) == 0 || !tellsOfLimits(name) || strings.Join(mirrored, "\n") != strings.Join(values, "\n") {
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
	for _, begin := range echoable {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}
