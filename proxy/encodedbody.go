package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"outrigger/policy/endpoint"
	"outrigger/proxy/access"
	"outrigger/proxy/body"
	"outrigger/proxy/decode"
	"outrigger/proxy/pick"
	"outrigger/proxy/response"
	proxywire "outrigger/proxy/wire"
)

// lookInto reads what a kept body says if it is compressed, by its magic number or by its
// Content-Encoding. A body that is whole JSON, or a whole form, as it stands is not.
func (x *exchange) lookInto(r *http.Request) {
	if x.Kept == nil || x.Once != nil || !x.isEncoded(r) {
		return
	}
	var err error
	if x.Facts, err = x.decodeBody(r, contentEncoding(r)); err != nil {
		x.unreadable(err)
		x.forgetDecoded()
	}
}

// isEncoded reports whether the body that is kept, or its beginning, is said to be
// compressed or looks so.
func (x *exchange) isEncoded(r *http.Request) bool {
	return !x.Facts.Valid && x.Kept.Size() > 0 && (codes(contentEncoding(r)) || x.isMarked())
}

// unreadable makes the request one of which nothing is known: a create, of no model.
func (x *exchange) unreadable(why error) {
	x.Encoded = body.Encoded{Unread: why.Error()}
	x.Facts = pick.Facts{Facts: endpoint.Facts{Unread: true}}
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
	n, _ := io.ReadFull(x.Kept.Reader(), head[:])
	return decode.Magic(head[:n]) != ""
}

// decodeBody decodes the kept body and returns what it says. The fingerprint becomes that
// of what it decodes to: a client that compresses a retry anew writes another time into it.
func (x *exchange) decodeBody(r *http.Request, said string) (pick.Facts, error) {
	select { // decoders take memory, and nothing but a processor
	case x.Decoding <- struct{}{}:
		defer func() { <-x.Decoding }()
	case <-x.Ctx.Done():
		return pick.Facts{}, context.Cause(x.Ctx)
	}
	src, codings, err := decode.Open(said, x.Kept.Reader(), body.DecodedMost(x.Kept.Size()))
	if err != nil {
		return pick.Facts{}, err
	}
	defer src.Close()
	if len(codings) == 0 {
		return pick.Facts{}, fmt.Errorf("%q: %w", access.Short(said), errMislabelled)
	}
	x.Encoded = body.Encoded{Codings: codings, Size: -1}
	picker := pick.New(r.Header.Get("Content-Type"))
	to := io.Writer(picker)
	if x.Identity.Body != nil {
		x.Identity.Body.Reset()
		picker.Copy(x.Identity.Body)
	}
	if x.References != nil {
		x.Homes.Anew(&x.Affinity)
		if proxywire.MediaType(r.Header) != "multipart/form-data" {
			to = io.MultiWriter(picker, x.References)
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
	x.Encoded.Size = size
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
	buf := response.Buffers.Get()
	defer response.Buffers.Put(buf)
	var size int64
	for x.Ctx.Err() == nil {
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
	return size, context.Cause(x.Ctx)
}

// forgetDecoded makes the fingerprint that of the body as it came, and takes back what it
// was seen to refer to.
func (x *exchange) forgetDecoded() {
	if x.References != nil {
		x.Homes.Anew(&x.Affinity)
	}
	if x.Identity.Body != nil {
		x.Identity.Body.Reset()
		_, _ = x.Kept.Reader().WriteTo(x.Identity.Body)
	}
}
