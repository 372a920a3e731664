package shadow

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"outrigger/policy/classify"
)

// played is what one call got, given to an attempt in the same time. It is the answer's body.
type played struct {
	ctx     context.Context
	real    *Real
	base    time.Time     // stands for the real call's start
	release func()        // the attempt runs no more
	early   time.Duration // how much sooner than here the answer's end is at the upstream
	traced  bool
	at      int // bytes that were read
	text    []byte
}

// answer returns the answer, when it is time.
func (p *played) answer(req *http.Request) (*http.Response, error) {
	r := p.real
	if err := p.until(func() (bool, time.Duration) { return r.status != 0 || r.over, r.answered }); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status == 0 {
		return nil, r.err
	}
	resp := &http.Response{
		Status: http.StatusText(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header.Clone(), ContentLength: -1, Body: p, Request: req,
	}
	resp.Header.Del("Content-Length")
	switch {
	case r.over && r.err == nil && r.size == 0:
		resp.Body, resp.ContentLength = http.NoBody, 0
	case r.over && r.err == nil && r.size <= HeadMax:
		resp.ContentLength = r.size
	case r.replaced():
		resp.Header.Del("Content-Encoding")
	}
	return resp, nil
}

// until waits for what is to be known of the real call, and until that much of the attempt's own
// time has passed. known is called under the call's lock.
func (p *played) until(known func() (bool, time.Duration)) error {
	r := p.real
	for {
		r.mu.Lock()
		p.trace(r)
		yes, offset := known()
		changed := r.next()
		r.mu.Unlock()
		var due <-chan time.Time
		if yes {
			wait := time.Until(p.base.Add(offset))
			if wait <= 0 {
				return nil
			}
			timer := time.NewTimer(wait)
			defer timer.Stop()
			due, changed = timer.C, nil
		}
		select {
		case <-due:
			return nil
		case <-changed:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
}

// trace tells the attempt, once, that a connection was had where r has one.
func (p *played) trace(r *Real) {
	if !p.traced && r.connected.Load() {
		p.traced = true
		trace(p.ctx, r.written.Load())
	}
}

// Read implements io.Reader.
func (p *played) Read(b []byte) (int, error) {
	r := p.real
	err := p.until(func() (bool, time.Duration) {
		if p.at < r.usable() {
			return true, r.first
		}
		return r.over, r.took - p.early
	})
	if err == nil && p.at >= p.readable() {
		p.release()
		err = p.until(func() (bool, time.Duration) { return true, r.took })
	}
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.at < r.usable() {
		n := copy(b, r.head[p.at:r.usable()])
		p.at += n
		return n, nil
	}
	if p.text == nil {
		p.text = r.rest(p.at)
	}
	n := copy(b, p.text)
	p.at += n
	p.text = p.text[n:]
	switch {
	case n > 0:
		return n, nil
	case r.err != nil:
		return 0, r.err
	}
	return 0, io.EOF
}

// readable is how much can be read before the end.
func (p *played) readable() int {
	p.real.mu.Lock()
	defer p.real.mu.Unlock()
	return p.real.usable()
}

// Close implements io.Closer.
func (p *played) Close() error {
	p.release()
	return nil
}

// usable is how much of the beginning can be read before the end is known: whole events. The
// lock is held.
func (r *Real) usable() int {
	if !r.isStream() {
		return 0
	}
	if i := bytes.LastIndex(r.head, []byte("\n\n")); i >= 0 {
		return i + len("\n\n")
	}
	return 0
}

// replaced reports whether the content is too long to be kept and has a stand-in: a small JSON
// object, since what matters of a good one is that it came. The lock is held.
func (r *Real) replaced() bool { return r.size > HeadMax && !r.isStream() && isJSON(r.header) }

// rest is what is left of the content from at on, once the call has ended. What was not kept
// is left out, by whole events. The lock is held.
func (r *Real) rest(at int) []byte {
	switch {
	case r.size <= HeadMax:
		return r.head[at:]
	case r.replaced() && r.err != nil:
		return []byte("{")
	case r.replaced():
		return []byte("{}")
	case r.isStream():
		if i := bytes.Index(r.tail, []byte("\n\n")); i >= 0 {
			return r.tail[i+2:]
		}
	}
	return r.tail
}

func isJSON(h http.Header) bool { return strings.Contains(h.Get("Content-Type"), "json") }

// await waits until it is known what r's answer means; false if the wait was ended.
func (p *played) await(r *Real) (classify.Verdict, bool) {
	for {
		r.mu.Lock()
		p.trace(r)
		v, known := r.verdict()
		changed := r.next()
		r.mu.Unlock()
		if known {
			return v, true
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
			return v, false
		}
	}
}

// dated takes out of a header what was true at another moment only.
func dated(h http.Header) {
	for name := range h {
		if lower := strings.ToLower(name); strings.Contains(lower, "remaining") || strings.Contains(lower, "reset") || name == "Date" {
			delete(h, name)
		}
	}
}

// unseen is the answer of an upstream of which nothing was seen: it is taken to be well.
func unseen(req *http.Request) *http.Response {
	trace(req.Context(), true)
	const text = "{}"
	return &http.Response{
		Status: http.StatusText(http.StatusOK), StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)), Request: req,
	}
}

// trace tells the attempt that a connection was had, and the request written.
func trace(ctx context.Context, written bool) {
	t := httptrace.ContextClientTrace(ctx)
	if t == nil {
		return
	}
	t.GotConn(httptrace.GotConnInfo{})
	if written {
		t.WroteHeaders()
		t.WroteRequest(httptrace.WroteRequestInfo{})
	}
}
