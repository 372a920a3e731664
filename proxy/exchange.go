package proxy

import (
	"context"
	"net/http"
	"time"

	proxycall "outrigger/proxy/call"
	"outrigger/proxy/idempotency"
	"outrigger/proxy/loop"
)

// exchange is one caller's request and its answer: the caller's side of a run.
type exchange struct {
	loop.Run
	p        *Proxy
	gen      *generation
	w        http.ResponseWriter
	stamps   [5]string // values of the headers that tell how the answer came about
	closes   bool      // the caller's connection ends with the answer: it may come before the body's end
	writeSet time.Time // when the deadline for writing was last moved
	intake   intake

	flight   *idempotency.Flight // that this exchange makes the call of; nil when it answers its caller itself
	launched bool                // a flight makes the call, and has its body
}

// newExchange returns the exchange that answers w, with a context that carries it. It releases
// g, which was pinned for it, when it is closed.
func (p *Proxy) newExchange(ctx context.Context, g *generation, w http.ResponseWriter, c *proxycall.Call) *exchange {
	x := &exchange{p: p, gen: g, w: w}
	x.Loop, x.Call, x.Host, x.Ticket = g.Loop, c, x, &x.First
	x.Record.Source = proxycall.SourceUpstream
	ctx, cancel := context.WithCancelCause(ctx)
	x.Cancel = cancel
	x.Ctx = context.WithValue(ctx, exchangeKey{}, x)
	return x
}

type exchangeKey struct{}

// exchangeOf returns the exchange that ctx belongs to.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Attempted implements loop.Host.
func (x *exchange) Attempted() { x.flight.Attempted() }

// Withhold implements loop.Host.
func (x *exchange) Withhold() { x.flight.Withhold() }

// close gives back all that the exchange still holds.
func (x *exchange) close() {
	x.Close()
	if x.Kept != nil && !x.launched {
		_ = x.Kept.Close()
	}
	x.gen.release()
}
