package proxy

import (
	"io"
	"net/url"
	"strings"

	"outrigger/policy/endpoint"
	"outrigger/proxy/pick"
)

// spliced is a body with one piece of it replaced: the model's name. It is read
// as it flows; nothing is decoded or copied. One goroutine reads it, and Close is
// as safe as that of the body below.
type spliced struct {
	src    io.ReadCloser
	before int64  // bytes of src to pass on before the new text
	text   string // what is left of it
	skip   int64  // bytes of src to leave out after it
}

// Read implements io.Reader.
func (s *spliced) Read(p []byte) (int, error) {
	switch {
	case s.before > 0:
		n, err := s.src.Read(p[:min(int64(len(p)), s.before)])
		s.before -= int64(n)
		if s.before == 0 {
			err = nil // src says it again
		}
		return n, err
	case s.text != "":
		n := copy(p, s.text)
		s.text = s.text[n:]
		return n, nil
	}
	for s.skip > 0 {
		n, err := io.CopyN(io.Discard, s.src, s.skip)
		s.skip -= n
		if err != nil {
			return 0, err
		}
	}
	return s.src.Read(p)
}

// Close implements io.Closer.
func (s *spliced) Close() error { return s.src.Close() }

// rename finds what the upstream calls the model, and how its name has to stand in
// the body; a WebSocket's stands in the query,
// and that of Google's own API in the path. A body that names no model, or one
// that is no text, goes as it is: the upstream will say what it misses.
func (f *facing) rename(facts pick.Facts) {
	f.sent = facts.Model
	name, renamed := f.up.models.of(facts.Model)
	switch {
	case !renamed:
	case facts.ModelEnd > 0 && mediaType(f.outbound.Header) == "multipart/form-data":
		f.sent, f.spliced = name.plain, name.plain
	case facts.ModelEnd > 0:
		f.sent, f.spliced = name.plain, name.quoted
	case isWebSocket(f.outbound.Header):
		f.sent = name.plain
		f.outbound.URL.RawQuery = renameIn(f.outbound.URL.RawQuery, name.plain)
	case renamePath(f.outbound.URL, name.plain):
		f.sent = name.plain
	}
}

// renamePath renames the model in a path of Google's own API, and reports whether it is one.
func renamePath(u *url.URL, name string) bool {
	path := u.EscapedPath()
	model, method := endpoint.Method(path)
	if method == "" {
		return false
	}
	at := strings.LastIndex(path, "/"+model) + 1
	u.RawPath = path[:at] + url.PathEscape(name) + path[at+len(model):]
	u.Path, _ = url.PathUnescape(u.RawPath)
	return true
}

// renameIn returns a query with the model that a WebSocket is opened for renamed, and
// all else as it was. Azure calls the parameter deployment.
func renameIn(query, model string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, _ := strings.Cut(pair, "="); name == "model" || name == "deployment" {
			pairs[i] = name + "=" + url.QueryEscape(model)
		}
	}
	return strings.Join(pairs, "&")
}

// outgoing returns the body for one attempt, from its start, and its length, -1
// when that is not known. model is the text that stands for the model's name; "" leaves it.
func (x *Body) outgoing(model string) (io.ReadCloser, int64) {
	body := x.requestBody()
	if body == nil || model == "" {
		return body, x.size
	}
	old := x.facts.ModelEnd - x.facts.ModelStart
	size := x.size
	if x.encoded.codings != nil {
		body, size = &inflating{codings: x.encoded.codings, raw: body, size: size}, x.encoded.size
	}
	if size >= 0 {
		size += int64(len(model)) - old
	}
	return &spliced{src: body, before: x.facts.ModelStart, text: model, skip: old}, size
}
