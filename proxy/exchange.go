package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	proxycall "outrigger/proxy/call"
	"outrigger/proxy/idempotency"
	"outrigger/proxy/loop"
	"outrigger/proxy/observe"
)

// exchange is one caller's request and its answer: the caller's side of a run.
type exchange struct {
	loop.Run
	ctx      exchangeContext
	p        *Proxy
	gen      *generation
	w        http.ResponseWriter
	stamps   [5]string // values of the headers that tell how the answer came about
	closes   bool      // the caller's connection ends with the answer: it may come before the body's end
	writeSet time.Time // when the deadline for writing was last moved
	intake   intake
	ended    observe.Event // see event

	flight   *idempotency.Flight // that this exchange makes the call of; nil when it answers its caller itself
	launched bool                // a flight makes the call, and has its body

	seen *sighting // what is seen of a call that is only observed; nil for all others
}

// newExchange returns the exchange that answers w, with a context that carries it. It releases
// g, which was pinned for it, when it is closed.
func (p *Proxy) newExchange(ctx context.Context, g *generation, w http.ResponseWriter, c *proxycall.Call) *exchange {
	x := &exchange{p: p, gen: g, w: w}
	x.Loop, x.Call, x.Host, x.Ticket = g.Loop, c, x, &x.First
	x.Record.Source = proxycall.SourceUpstream
	ctx, cancel := context.WithCancelCause(ctx)
	x.Cancel = cancel
	x.ctx = exchangeContext{ctx, x}
	x.Ctx = &x.ctx
	return x
}

// exchangeContext is a context that knows its exchange, of which it is a part: context.WithValue
// would be one more allocation, and one more step for each look-up.
type exchangeContext struct {
	context.Context
	of *exchange
}

type exchangeKey struct{}

// Value implements context.Context.
func (c *exchangeContext) Value(key any) any {
	if key == (exchangeKey{}) {
		return c.of
	}
	return c.Context.Value(key)
}

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

// newID returns an id that no other request of any process has.
func (p *Proxy) newID() string {
	var buf [32]byte
	return string(strconv.AppendUint(append(buf[:0], p.idPrefix...), p.ids.Add(1), 36))
}

// idPrefix tells the request ids of one process from those of another. They serve
// as Idempotency-Keys too, so no two processes of a fleet may ever share one.
func idPrefix() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return "or-" + hex.EncodeToString(b[:]) + "-"
}
