package stream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"outrigger/proxy/body"
	"outrigger/proxy/wire"
)

// get is the request for the rest.
func (r *resuming) get(ctx context.Context) *http.Request {
	req := r.request.Clone(ctx)
	req.Method, req.Body, req.GetBody, req.ContentLength = http.MethodGet, nil, nil, 0
	if r.request.Method == http.MethodPost {
		path := strings.TrimSuffix(req.URL.EscapedPath(), "/") + "/" + r.id
		req.URL.RawPath = path
		req.URL.Path, _ = url.PathUnescape(path)
	}
	req.URL.RawQuery = withCursor(req.URL.RawQuery, r.wants, r.last)
	for _, name := range [...]string{"Content-Encoding", "Content-Length", "Idempotency-Key", wire.KeyIdempotency, "X-Idempotency-Key", "x-idempotency-key"} {
		delete(req.Header, name)
	}
	req.Header["Accept"], req.Header["Accept-Encoding"] = []string{"text/event-stream"}, []string{"identity"}
	return req
}

// maxWants bounds the request bodies that are read for what they want of a stream.
const maxWants = 4 << 20

// streamWants returns what the request's body says about the events of its stream, as the
// query says it: what they include, and whether they are padded.
func streamWants(x *body.Body) string {
	var body struct {
		Include []string
		Options struct {
			Obfuscation *bool `json:"include_obfuscation"`
		} `json:"stream_options"`
	}
	if x.Kept == nil || x.Once != nil || x.Size > maxWants {
		return ""
	}
	src := x.Kept.Reader()
	defer func() { _ = src.Close() }()
	if json.NewDecoder(src).Decode(&body) != nil {
		return ""
	}
	var wants []string
	for _, name := range body.Include {
		wants = append(wants, "include%5B%5D="+url.QueryEscape(name))
	}
	if o := body.Options.Obfuscation; o != nil {
		wants = append(wants, "include_obfuscation="+strconv.FormatBool(*o))
	}
	return strings.Join(wants, "&")
}

// withCursor returns a query that asks for a stream from behind event n.
func withCursor(query, wants string, n int64) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "", "stream", "starting_after":
		default:
			kept = append(kept, pair)
		}
	}
	if wants != "" {
		kept = append(kept, wants)
	}
	return strings.Join(append(kept, "stream=true", "starting_after="+strconv.FormatInt(n, 10)), "&")
}

// streamedID returns the id of the response that a GET wants as a stream, "" if it does not.
func streamedID(u *url.URL) string {
	if u.Query().Get("stream") != "true" {
		return ""
	}
	path := u.EscapedPath()
	id := path[strings.LastIndexByte(path, '/')+1:]
	if !isResponseID(id) {
		return ""
	}
	return id
}

// responseID returns the id of the response that an event tells of, "" if there is none
// that can stand in a path.
func responseID(event []byte) string {
	var said struct{ Response struct{ ID string } }
	if json.Unmarshal(eventData(event), &said) != nil || !isResponseID(said.Response.ID) {
		return ""
	}
	return said.Response.ID
}

// isResponseID reports whether id can be one: it is to stand in a path as it is.
func isResponseID(id string) bool {
	if id == "" || len(id) > 512 || strings.Trim(id, ".") == "" {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.', c == '=', c == ':':
		default:
			return false
		}
	}
	return true
}
