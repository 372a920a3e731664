package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/resources"
	"outrigger/proxy/outward"
	"outrigger/proxy/spool"
)

// ErrNoUpstream is returned by New for a configuration without an upstream.
var ErrNoUpstream = errors.New("no upstream is configured")

// Deps are what the handler uses and does not make.
type Deps struct {
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Dial connects to the upstreams. Nil dials TCP, within Timeouts.Connect.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxies are those on the way to the upstreams; nil is none.
	Proxies *outward.Proxies
}

// Proxy is the traffic listener's handler. Make it with New. It is safe for
// concurrent use.
type Proxy struct {
	*Loop
	callers  *callers
	calls    *Calls
	relay    *httputil.ReverseProxy
	inflight *Inflight

	idPrefix string
	ids      atomic.Uint64
}

// New returns the handler for a configuration that internal/config has validated.
func New(c Config, d Deps) (*Proxy, error) {
	if len(c.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	c.Store.Bytes = c.StoreBytes()
	own := keyHeaders(c.Upstreams)
	p := &Proxy{
		Loop:    &Loop{config: c, credentials: newCredentials(own), decoding: make(chan struct{}, runtime.GOMAXPROCS(0))},
		callers: newCallers(c.Callers), inflight: newInflight(), idPrefix: idPrefix(),
	}
	p.total, p.silent = c.Timeouts.operators()
	p.names = newNamer(own, p.callers.haveTokens)
	p.failures = newFailures()
	metrics, err := NewMetrics(d.Registry)
	if err != nil {
		return nil, err
	}
	p.recorder = Recorders{NewLog(d.Log), metrics}
	now := time.Now()
	for _, u := range c.Upstreams {
		p.upstreams = append(p.upstreams, newLane(c, newAPI(c, u, d.Dial, d.Proxies), p.recorder, now))
	}
	p.homes = newHomes(p.upstreams)
	p.homes.reserve(&c.Bodies) // what it may take is not there for bodies
	whole := int64(c.Bodies.MemoryMax)
	c.reserve()
	p.bodies = spool.New(c.Bodies)
	if c.Bodies.SpoolMax > 0 {
		p.bodies.Unspooled = newUnspooled(c.Bodies.Dir, d.Log)
	}
	p.calls, err = NewCalls(CallSettings{
		Store: c.Store, Rejoin: c.Rejoin, Total: c.Timeouts.Total, BodyMemory: int64(c.Bodies.BodyMemory), Memory: whole, Descriptors: resources.Descriptors(),
	}, d.Log, p.recorder, p.names, p.inflight, p.bodies)
	if err != nil {
		for _, u := range p.upstreams {
			u.close()
		}
		return nil, err
	}
	p.relay = p.newRelay(d.Log)
	return p, d.Registry.Register(NewCollector(p.source, metrics.Model))
}

// ServeHTTP takes one request along the whole path.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, r := p.open(w, r)
	defer p.observe(x)
	err := p.serve(w, r, x)
	if errors.Is(err, errPreflight) {
		x.allow(w, r)
		return
	}
	if err != nil {
		x.turnDown(w, r, err)
		return
	}
	if err := p.forward(w, r, x); err != nil {
		x.fail(w, err)
	}
	if x.once != nil && r.ProtoMajor == 1 {
		takeRest(w, r)
	}
}

// forward gets the answer: from the upstream, or as the same call got it.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, x *exchange) error {
	switch {
	case x.identity.body == nil, x.once != nil: // nobody asks, or can tell, whether there was one like it
	case x.identity.key != "":
		return p.calls.Once(w, r, x.caller())
	default:
		return p.calls.Rejoinable(w, r, x.caller())
	}
	p.relay.ServeHTTP(w, r)
	return nil
}

// serve is all that happens before the relay, one guard after the other.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, x *exchange) error {
	if p.inflight.begun.Load() {
		return fail("draining", "Outrigger is shutting down. Send the request again.").after(time.Second)
	}
	x.target = p.targetOf(r)
	x.page = p.callers.page(r, x.target)
	if err := p.callers.admit(r, x.target); err != nil {
		return err
	}
	x.callerLabel = p.callers.label(r)
	if x.page != "" && isPreflight(r) {
		return errPreflight
	}
	if err := x.route(r); err != nil {
		return err
	}
	if err := checkTarget(r); err != nil {
		return err
	}
	x.repairBase(r)
	switch {
	case !isWebSocket(r.Header):
		dropUpgrade(r.Header)
	case p.config.WebSocket == WebSocketRefuse:
		return fail("websocket_refused", "WebSockets are switched off (OUTRIGGER_WEBSOCKET=refuse). Send the request by HTTP.")
	}
	if err := x.recognize(r); err != nil {
		return err
	}
	if err := x.readBody(w, r); err != nil {
		return err
	}
	x.lookInto(r)
	x.identify(r)
	x.recall(r)
	if home := x.homes.home(&x.affinity, x.Call, r.URL.EscapedPath()); home != nil {
		x.candidates, x.up = home, home[0]
	}
	return nil
}

// open starts the exchange of r and returns r with a context that carries it.
func (p *Proxy) open(w http.ResponseWriter, r *http.Request) (*exchange, *http.Request) {
	x := p.newExchange(r.Context(), w, &Call{
		id: p.newID(), method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, agent: r.UserAgent(), start: time.Now(), hears1xx: hears1xx(r),
	})
	x.setDeadline(r)
	p.inflight.add(&x.Life)
	return x, r.WithContext(x.ctx)
}

// Knows reports whether a caller with this client token, or with "", may call.
func (p *Proxy) Knows(token string) bool { return p.callers.known(token) }

// Drain refuses every new request from now on.
func (p *Proxy) Drain() {
	p.inflight.begun.Store(true)
	p.calls.Drain()
}

// Cancel ends all requests that still run, with cause.
func (p *Proxy) Cancel(cause error) { p.inflight.cancel(cause) }

// Inflight is the number of requests that are on their way.
func (p *Proxy) Inflight() int { return p.inflight.count() }

// source is where the present state is read.
func (p *Proxy) source() Source {
	return Source{Inflight: p.inflight, Bodies: p.bodies, Calls: p.calls, Lanes: p.upstreams}
}

// Status returns the present state.
func (p *Proxy) Status() Status { return p.source().Status() }

// Close closes idle connections and the store, and stops timers. Requests must have
// ended.
func (p *Proxy) Close() error {
	for _, u := range p.upstreams {
		u.close()
	}
	return p.calls.Close()
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
