package response

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
)

// Buffered is an upstream's whole answer, kept: that of the last attempt while
// another is made, or a cached refusal. Once made it is not
// changed, so that any number of callers can be given it at once.
type Buffered struct {
	Status  int
	Header  http.Header
	Body    []byte
	Verdict classify.Verdict   // what it means
	Caller  carrier.Credential // whose it is, where others may ask for it
}

// savedBytes is about what an answer takes beside its body and headers.
const savedBytes = 512

// Size is about how many bytes the answer takes, 0 for nil.
func (s *Buffered) Size() int {
	if s == nil {
		return 0
	}
	n := savedBytes + cap(s.Body)
	for name, values := range s.Header {
		n += len(name) + 64
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// Response returns the answer for one caller.
func (s *Buffered) Response(out *http.Request) *http.Response {
	return &http.Response{
		StatusCode: s.Status, Status: http.StatusText(s.Status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        s.Header.Clone(),
		Body:          io.NopCloser(bytes.NewReader(s.Body)),
		ContentLength: int64(len(s.Body)),
		Request:       out,
	}
}

// WithoutMoment returns s less the headers that were true only when the answer
// was given: a cached refusal is given to later callers too.
func (s *Buffered) WithoutMoment() *Buffered {
	header := s.Header.Clone()
	for name := range header {
		if name == "Set-Cookie" || name == "Retry-After" || name == "Retry-After-Ms" || name == "X-Ms-Retry-After-Ms" ||
			strings.HasPrefix(name, "X-Ratelimit-") {
			delete(header, name)
		}
	}
	t := *s
	t.Header = header
	return &t
}
