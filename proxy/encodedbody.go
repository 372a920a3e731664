package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"outrigger/policy/endpoint"
	"outrigger/proxy/decode"
	"outrigger/proxy/pick"
)

// Bounds of what a compressed body is decoded to for what it says. Work stays in proportion
// to what was sent, and beneath a fifth of a second for a small bomb: deflate makes up to
// 1,032 bytes of one. JSON shrinks to a fifth or a tenth; what shrinks further is short.
const (
	decodedLeast  = 64 << 20
	decodedFactor = 16
)

func decodedMost(size int64) int64 { return max(decodedLeast, size*decodedFactor) }

// encoded is a request body that is compressed. It is passed on as it came, but for a model
// that is renamed: then it is sent decoded.
type encoded struct {
	codings []string // none if the body is read as it is
	size    int64    // decoded; -1 if that is not known
	unread  string   // why it could not be read; "" if it could
}

// lookInto reads what a kept body says if it is compressed, by its magic number or by its
// Content-Encoding. A body that is whole JSON, or a whole form, as it stands is not.
func (x *exchange) lookInto(r *http.Request) {
	if x.body == nil || x.once != nil || !x.isEncoded(r) {
		return
	}
	var err error
	if x.facts, err = x.decodeBody(r, contentEncoding(r)); err != nil {
		x.unreadable(err)
		x.forgetDecoded()
	}
}

// isEncoded reports whether the body that is kept, or its beginning, is said to be
// compressed or looks so.
func (x *exchange) isEncoded(r *http.Request) bool {
	return !x.facts.Valid && x.body.Size() > 0 && (codes(contentEncoding(r)) || x.isMarked())
}

// unreadable makes the request one of which nothing is known: a create, of no model.
func (x *exchange) unreadable(why error) {
	x.encoded = encoded{unread: why.Error()}
	x.facts = pick.Facts{Facts: endpoint.Facts{Unread: true}}
}

func contentEncoding(r *http.Request) string { return strings.Join(r.Header["Content-Encoding"], ",") }

// codes reports whether a Content-Encoding says that something was done to the body.
func codes(said string) bool {
	for coding := range strings.SplitSeq(said, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

// isMarked reports whether the kept body begins with the magic number of a coding.
func (x *exchange) isMarked() bool {
	var head [4]byte
	n, _ := io.ReadFull(x.body.Reader(), head[:])
	return decode.Magic(head[:n]) != ""
}

// decodeBody decodes the kept body and returns what it says. The fingerprint becomes that
// of what it decodes to: a client that compresses a retry anew writes another time into it.
func (x *exchange) decodeBody(r *http.Request, said string) (pick.Facts, error) {
	select { // decoders take memory, and nothing but a processor
	case x.decoding <- struct{}{}:
		defer func() { <-x.decoding }()
	case <-x.ctx.Done():
		return pick.Facts{}, context.Cause(x.ctx)
	}
	src, codings, err := decode.Open(said, x.body.Reader(), decodedMost(x.body.Size()))
	if err != nil {
		return pick.Facts{}, err
	}
	defer src.Close()
	if len(codings) == 0 {
		return pick.Facts{}, fmt.Errorf("%q: %w", short(said), errMislabelled)
	}
	x.encoded = encoded{codings: codings, size: -1}
	picker := pick.New(r.Header.Get("Content-Type"))
	to := io.Writer(picker)
	if x.identity.body != nil {
		x.identity.body.Reset()
		picker.Copy(x.identity.body)
	}
	if x.references != nil {
		x.homes.anew(&x.affinity)
		if mediaType(r.Header) != "multipart/form-data" {
			to = io.MultiWriter(picker, x.references)
		}
	}
	size, err := x.readDecoded(to, src, picker)
	facts := picker.Facts()
	switch {
	case errors.Is(err, errLost): // nothing to be read: as if it were not compressed
		facts.ModelStart, facts.ModelEnd = 0, 0
		x.forgetDecoded()
		return facts, nil
	case err != nil:
		return pick.Facts{}, err
	}
	x.encoded.size = size
	return facts, nil
}

var (
	errMislabelled = errors.New("the body is not what its Content-Encoding says")
	errLost        = errors.New("neither JSON nor a form")
	errNoRoom      = errors.New("the body is compressed, and there is no room to keep it")
)

// readDecoded shows to all that src yields and returns its length. It ends early, with
// errLost, where nothing more is to be learned.
func (x *exchange) readDecoded(to io.Writer, src io.Reader, picker *pick.Picker) (int64, error) {
	buf := buffers.get()
	defer buffers.put(buf)
	var size int64
	for x.ctx.Err() == nil {
		n, err := src.Read(*buf)
		_, _ = to.Write((*buf)[:n])
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return size, nil
		case err != nil:
			return size, err
		case picker.Lost():
			return size, errLost
		}
	}
	return size, context.Cause(x.ctx)
}

// forgetDecoded makes the fingerprint that of the body as it came, and takes back what it
// was seen to refer to.
func (x *exchange) forgetDecoded() {
	if x.references != nil {
		x.homes.anew(&x.affinity)
	}
	if x.identity.body != nil {
		x.identity.body.Reset()
		_, _ = x.body.Reader().WriteTo(x.identity.body)
	}
}

// inflating is a body that is decoded as it is sent. A transport may close it while another
// goroutine reads it, and a decoder that was given back is another request's.
type inflating struct {
	codings []string
	raw     io.ReadCloser
	size    int64 // of raw

	mu     sync.Mutex
	src    io.ReadCloser // nil before the first Read
	closed bool
}

func (i *inflating) Read(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return 0, io.ErrClosedPipe
	}
	if i.src == nil {
		src, _, err := decode.Open(strings.Join(i.codings, ","), i.raw, decodedMost(i.size))
		if err != nil {
			return 0, err
		}
		i.src = src
	}
	return i.src.Read(p)
}

func (i *inflating) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	if i.src != nil {
		_ = i.src.Close()
		i.src = nil
	}
	return i.raw.Close()
}
