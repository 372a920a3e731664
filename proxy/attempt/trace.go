package attempt

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
	"outrigger/proxy/response"
	"outrigger/proxy/spool"
	"outrigger/proxy/upstream"
)

// maxHints bounds the 1xx answers that are passed on before the final one: with a
// hook for them, net/http has no bound of its own. A 102 each 20 s for the ten
// minutes of OpenAI's SDKs makes 30.
const maxHints = 64

// Progress records how far one attempt got. Its hooks run in the transport's
// goroutines, some of them after the attempt was given up.
type Progress struct {
	Connected atomic.Bool // a connection was had
	Reused    atomic.Bool // and it had carried requests before
	conn      atomic.Pointer[upstream.Late]
	// The transport was about to send the request again by itself, over HTTP/2.
	replayedHTTP2 atomic.Bool
	written       atomic.Bool // the headers went to the connection
	Began         time.Time
	Sending       *body.Sending // the body, where it is watched
	sentAt        atomic.Int64  // when the whole request was written, after began; 0 if it was not
	hints         atomic.Int32  // 1xx answers so far
	Over          atomic.Bool   // the attempt has ended: hooks do nothing any more
	body          atomic.Pointer[spool.Body]
	hooks         httptrace.ClientTrace
}

// LetGo closes b as soon as all of it was sent. An answer may be faster than the news of that.
func (p *Progress) LetGo(b *spool.Body) {
	p.body.Store(b)
	if p.sentAt.Load() != 0 {
		_ = b.Close()
	}
}

// reached says what of the request may have reached the upstream.
func (p *Progress) reached() classify.Progress {
	if p.written.Load() {
		return classify.Sent
	}
	return classify.NotSent
}

// sender is told when the request of a turn is on the wire.
type sender interface{ Sent(now time.Time, turn int) }

// Trace returns the hooks that record into p. pl is told when the request of turn is on
// the wire. stop ends the attempt: it is called when the transport
// takes a second connection for the same request, which is how it sends one
// again by itself (golang/go#52459 saw hundreds from one RoundTrip). outer is
// what ReverseProxy installed, to forward 1xx answers.
func (p *Progress) Trace(outer *httptrace.ClientTrace, pl sender, turn int, stop context.CancelCauseFunc) *httptrace.ClientTrace {
	p.hooks = httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if p.Connected.Swap(true) {
				shared := upstream.SpeaksHTTP2(info.Conn)
				p.replayedHTTP2.Store(shared)
				stop(apierror.ErrReplayed)
				if !shared { // the transport may write before it sees that the context has ended
					_ = info.Conn.Close()
				}
				return
			}
			p.Reused.Store(info.Reused)
			p.conn.Store(upstream.HearingOf(info.Conn))
		},
		WroteHeaders: func() { p.written.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil || p.Over.Load() {
				return
			}
			now := time.Now()
			p.sentAt.Store(max(int64(now.Sub(p.Began)), 1))
			if p.Sending != nil {
				p.Sending.Touch()
			}
			if b := p.body.Load(); b != nil {
				_ = b.Close()
			}
			pl.Sent(now, turn)
		},
	}
	if outer != nil {
		p.hooks.Got1xxResponse = func(code int, header textproto.MIMEHeader) error {
			if p.hints.Add(1) > maxHints {
				return apierror.ErrHints
			}
			response.CleanAside(http.Header(header))
			return outer.Got1xxResponse(code, header)
		}
	}
	return &p.hooks
}

// Quiet returns when the last byte of the request moved, or when the attempt began.
func (p *Progress) Quiet() time.Time {
	moved := time.Duration(p.sentAt.Load())
	if p.Sending != nil {
		moved = max(moved, time.Duration(p.Sending.Moved.Load()))
	}
	return p.Began.Add(moved)
}
