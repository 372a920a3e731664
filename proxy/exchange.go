package proxy

import (
	"context"
	"net/http"
	"time"
)

// exchange is one caller's request and its answer: the caller's side of a run.
type exchange struct {
	Run
	p        *Proxy
	w        http.ResponseWriter
	stamps   [5]string // values of the headers that tell how the answer came about
	closes   bool      // the caller's connection ends with the answer: it may come before the body's end
	writeSet time.Time // when the deadline for writing was last moved
	intake   intake

	flight   *flight // that this exchange makes the call of; nil when it answers its caller itself
	launched bool    // a flight makes the call, and has its body
}

// newExchange returns the exchange that answers w, with a context that carries it.
func (p *Proxy) newExchange(ctx context.Context, w http.ResponseWriter, c *Call) *exchange {
	x := &exchange{p: p, w: w}
	x.Loop, x.Call, x.host, x.place = p.Loop, c, x, &x.first
	x.record.source = sourceUpstream
	ctx, cancel := context.WithCancelCause(ctx)
	x.cancel = cancel
	x.ctx = context.WithValue(ctx, exchangeKey{}, x)
	return x
}

type exchangeKey struct{}

// exchangeOf returns the exchange that ctx belongs to.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// attempted implements host.
func (x *exchange) attempted() { x.flight.attempted() }

// withhold implements host.
func (x *exchange) withhold() { x.flight.withhold() }

// close gives back all that the exchange still holds.
func (x *exchange) close() {
	x.Run.close()
	if x.body != nil && !x.launched {
		_ = x.body.Close()
	}
}
