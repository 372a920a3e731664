package response

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"outrigger/proxy/wire"
)

// What an upstream's head says is checked once, where it enters. net/http lets pass what it cannot pass on itself: a
// status of two digits, over HTTP/2 of any number of them, lengths that contradict each other, bytes in headers that end a line.

// HeadError is why an answer's head is none.
type HeadError string

func (e HeadError) Error() string { return "malformed answer: " + string(e) }

const (
	errStatusRange = HeadError("its status is none of HTTP's")
	errTwoLengths  = HeadError("its Content-Length headers contradict each other")
	errNoLength    = HeadError("its Content-Length is not a number")
)

// Check checks the head of an answer and takes out of it what only Outrigger may say, and what no header may hold.
func Check(resp *http.Response) error {
	if resp.StatusCode < 100 || resp.StatusCode > 999 { // net/http's server panics
		return errStatusRange
	}
	cleanHeader(resp.Header)
	CleanTrailer(resp)
	lengths := resp.Header["Content-Length"]
	if len(lengths) == 0 {
		return nil
	}
	if slices.ContainsFunc(lengths, func(v string) bool { return v != lengths[0] }) {
		return errTwoLengths
	}
	if n, err := strconv.ParseInt(lengths[0], 10, 64); err != nil || n < 0 {
		return errNoLength
	}
	resp.Header["Content-Length"] = lengths[:1]
	return nil
}

// ownPrefix begins the names of the headers that only Outrigger may set.
const ownPrefix = "X-Outrigger-"

// cleanHeader takes out Outrigger's own headers, and those that are not valid (RFC 9110, section 5.5).
func cleanHeader(h http.Header) {
	for name, values := range h {
		if strings.HasPrefix(name, ownPrefix) || !isName(name) {
			delete(h, name)
			continue
		}
		if slices.ContainsFunc(values, isBadValue) {
			if values = slices.DeleteFunc(values, isBadValue); len(values) == 0 {
				delete(h, name)
			} else {
				h[name] = values
			}
		}
	}
}

// isBadValue reports whether a value has control bytes in it other than tabs.
func isBadValue(v string) bool {
	for i := range len(v) {
		if v[i] < ' ' && v[i] != '\t' || v[i] == 0x7f {
			return true
		}
	}
	return false
}

// isName reports whether a header's name is a token.
func isName(name string) bool {
	for i := range len(name) {
		c := name[i] | 0x20
		if (c < 'a' || c > 'z') && (name[i] < '0' || name[i] > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", name[i]) < 0 {
			return false
		}
	}
	return name != ""
}

// CleanAside is cleanHeader for what comes before or behind an answer: its trailers and informational heads. There is no
// place for when to try again either, which is said of the answer as a whole and may be Outrigger's to say.
func CleanAside(h http.Header) {
	cleanHeader(h)
	for _, name := range [...]string{wire.HeaderShouldRetry, "Retry-After", "Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		delete(h, name)
	}
}

// CleanTrailer cleans what is known of an answer's trailers: their names at first, their values at the end.
func CleanTrailer(resp *http.Response) {
	if len(resp.Trailer) > 0 {
		CleanAside(resp.Trailer)
	}
}
