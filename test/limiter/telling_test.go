package limiter

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// telling is how much an upstream says of its limits. The simulator says all of it, or
// leaves the headers out; a telling takes more away.
type telling string

const (
	full      telling = "full"    // headers, and a refusal's numbers and wait
	text      telling = "text"    // no headers
	headers   telling = "headers" // headers, on refusals too, but no numbers and no wait
	headersRA telling = "headers, Retry-After"
	retryMS   telling = "retry-after-ms" // nothing but that
	retryS    telling = "Retry-After"    // nothing but that, in whole seconds
	code      telling = "code"           // nothing but the error's code
	bare      telling = "bare"           // nothing but the status
)

var tellings = []telling{full, text, headers, headersRA, retryMS, retryS, code, bare}

// random reports whether some refusals may not be believed, after which waits are random.
func (t telling) random() bool { return t == code || t == bare }

// of makes an upstream say no more than that.
func (t telling) of(upstream http.Handler) http.Handler {
	if t == full {
		return upstream
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upstream.ServeHTTP(&reticent{ResponseWriter: w, telling: t}, r)
	})
}

// reticent takes out of an answer what its telling leaves out.
type reticent struct {
	http.ResponseWriter
	telling telling
	refused bool
}

func (w *reticent) WriteHeader(status int) {
	w.refused = status == http.StatusTooManyRequests && w.telling != text
	keep := map[telling]string{headersRA: "Retry-After", retryMS: "Retry-After-Ms", retryS: "Retry-After"}[w.telling]
	limits := w.telling == headers || w.telling == headersRA
	h := w.Header()
	for key := range h {
		if strings.HasPrefix(key, "X-Ratelimit-") && !limits || strings.HasPrefix(key, "Retry-After") && key != keep {
			delete(h, key)
		}
	}
	body := ""
	if w.refused {
		if w.telling != bare {
			body = `{"error":{"message":"Too many requests","type":"requests","code":"rate_limit_exceeded"}}`
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.ResponseWriter.WriteHeader(status)
	_, _ = io.WriteString(w.ResponseWriter, body)
}

func (w *reticent) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *reticent) Unwrap() http.ResponseWriter { return w.ResponseWriter }
