package fault

// Kind is what a fault rule does to a request.
type Kind string

// The kinds. See Kinds for what each does.
const (
	KindRow           Kind = "row"
	KindStatus        Kind = "status"
	KindHTML          Kind = "html"
	KindReset         Kind = "reset"
	KindClose         Kind = "close"
	KindHang          Kind = "hang"
	KindGarbage       Kind = "garbage"
	KindEndlessHeader Kind = "endless_header"
	KindEndlessBody   Kind = "endless_body"
	KindSlowHeaders   Kind = "slow_headers"
	KindSlowBody      Kind = "slow_body"
	KindLongLength    Kind = "long_length"
	KindShortLength   Kind = "short_length"
	KindGzip          Kind = "gzip"
	KindBadGzip       Kind = "bad_gzip"
	KindEarlyHints    Kind = "early_hints"
	KindTrailers      Kind = "trailers"
	KindCutReset      Kind = "cut_reset"
	KindCutClose      Kind = "cut_close"
	KindCutClean      Kind = "cut_clean"
	KindErrorEvent    Kind = "error_event"
	KindSilence       Kind = "silence"
)

// KindInfo describes a kind.
type KindInfo struct {
	Kind Kind   `json:"kind"`
	Doc  string `json:"doc"`
	// Instead kinds take the place of the answer: the work is not done, unless
	// the rule says after. The others do the work and spoil its answer.
	Instead bool `json:"instead"`
	// Stream kinds act on requests for an event stream only.
	Stream bool `json:"stream"`
}

// Kinds lists all kinds in the order of the help text.
func Kinds() []KindInfo { return kinds }

var kinds = []KindInfo{
	{KindRow, "a real error answer, named provider/name in row", true, false},
	{KindStatus, "an answer with status, header and body (default: OpenAI's body for that status)", true, false},
	{KindHTML, "502 (or status) with a reverse proxy's HTML page", true, false},
	{KindReset, "TCP reset instead of an answer; with unread before the body is read, with after once the work is done", true, false},
	{KindClose, "clean close of the connection instead of an answer", true, false},
	{KindHang, "no answer until the client leaves, or for a time", true, false},
	{KindGarbage, "bytes that are not HTTP", true, false},
	{KindEndlessHeader, "header lines until the client leaves, or for bytes", true, false},
	{KindEndlessBody, "a JSON error (status, default 500) that never ends, or ends after bytes", true, false},
	{KindSlowHeaders, "the true answer, its status line and headers at rate bytes per second (default 20)", false, false},
	{KindSlowBody, "the true answer, its body at rate bytes per second (default 100)", false, false},
	{KindLongLength, "the true answer, with a Content-Length that promises bytes (default 100) more than it has", false, false},
	{KindShortLength, "the true answer, with a Content-Length that promises bytes (default 10) fewer than it has", false, false},
	{KindGzip, "the true answer, compressed whether asked for or not", false, false},
	{KindBadGzip, "the true answer, said to be gzip and not compressed", false, false},
	{KindEarlyHints, "status 103 before the true answer", false, false},
	{KindTrailers, "the true answer, chunked, with two trailers", false, false},
	{KindCutReset, "TCP reset after events events of a stream, and bytes of the next one", false, true},
	{KindCutClose, "connection closed after events events of a stream and bytes of the next one, without the end of the body", false, true},
	{KindCutClean, "stream that ends after events events, and bytes of the next one, as if it were complete", false, true},
	{KindErrorEvent, "error in the stream's own language after events events (0 = as the first); see shape", false, true},
	{KindSilence, "silence before event number events+1 of a stream, until the client leaves or for a time", false, true},
}

// Info returns the description of the kind, and whether there is such a kind.
func (k Kind) Info() (KindInfo, bool) {
	for _, i := range kinds {
		if i.Kind == k {
			return i, true
		}
	}
	return KindInfo{}, false
}
