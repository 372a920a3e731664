package attempt

import (
	"errors"
	"strings"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/response"
)

// malformations are what net/http says of answers that it cannot parse (response.go,
// transfer.go, internal/chunked.go, net/textproto), and what that means. It has only
// words for most of them; a test pins them.
var malformations = [...]struct{ words, means string }{
	{`malformed HTTP response "\x00\x00`, "it is in HTTP/2, and HTTP/1.1 was spoken"},
	{"malformed HTTP response", "it does not begin with an HTTP status line"},
	{"malformed HTTP status code", "its status line has no valid status code"},
	{"malformed HTTP version", "its status line has no valid version"},
	{"too many transfer encodings", "it has more than one Transfer-Encoding"},
	{"unsupported transfer encoding", "its Transfer-Encoding is not chunked"},
	{"multiple Content-Length", "its Content-Length headers contradict each other"},
	{"bad Content-Length", "its Content-Length is not a number"},
	{"invalid empty Content-Length", "its Content-Length is empty"},
	{"malformed chunked encoding", "its chunked encoding is malformed"},
	{"invalid byte in chunk length", "its chunked encoding is malformed"},
	{"empty hex number for chunk length", "its chunked encoding is malformed"},
	{"chunk length too large", "its chunked encoding is malformed"},
	{"chunked line ends with bare LF", "its chunked encoding is malformed"},
	{"chunked encoding contains too much non-data", "its chunked encoding is malformed"},
	{"header line too long", "its chunked encoding is malformed"},
	{"suspiciously long trailer", "its trailers are malformed"},
	{"bad trailer key", "its trailers are malformed"},
	{"invalid Trailer key", "its trailers are malformed"},
	{"malformed MIME header", "a line of its headers or trailers is malformed"},
}

// malformation names why no answer could be made of what the upstream sent, "" where
// that is not the reason.
func malformation(err error) string {
	if err == nil {
		return ""
	}
	if errors.Is(err, apierror.ErrSwitched) {
		return "it switches protocols unasked"
	}
	if head, ok := errors.AsType[response.HeadError](err); ok {
		return string(head)
	}
	s := err.Error()
	for i := range malformations {
		if strings.Contains(s, malformations[i].words) {
			return malformations[i].means
		}
	}
	return ""
}

// mayBeHalf reports whether a line that net/http calls malformed may be the beginning of a
// good one, whose rest did not come.
func mayBeHalf(err error) bool {
	const status = "HTTP/"
	_, line, ok := strings.Cut(err.Error(), `malformed HTTP response "`)
	line = strings.TrimSuffix(line, `"`)
	return !ok || strings.HasPrefix(status, line) || strings.HasPrefix(line, status)
}

// MalformedTime is for how long a good answer speaks against the next ones being malformed.
const MalformedTime = time.Minute
