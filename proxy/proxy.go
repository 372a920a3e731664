package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/resources"
	"outrigger/policy"
	"outrigger/proxy/outward"
	"outrigger/proxy/spool"
	"outrigger/proxy/store"
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
	config      Config
	total       policy.Operator // OUTRIGGER_TIMEOUT
	streamIdle  policy.Operator // OUTRIGGER_STREAM_IDLE_TIMEOUT
	log         *slog.Logger
	upstreams   []*upstream
	homes       *homes // nil when all upstreams are one place
	bodies      *spool.Store
	callers     *callers
	credentials *credentials
	idempotency *idempotency
	abandoned   *abandoned
	detached    *detached
	failures    *failures
	metrics     *metrics
	relay       *httputil.ReverseProxy
	decoding    chan struct{} // has one for each body that is being decoded

	idPrefix string
	ids      atomic.Uint64
	draining atomic.Bool

	mu       sync.Mutex
	active   map[*exchange]struct{}
	drainEnd time.Time // see TurnAway; zero while nothing ends
}

// New returns the handler for a configuration that package main has validated.
func New(c Config, d Deps) (*Proxy, error) {
	if len(c.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	c.Store.Bytes = c.StoreBytes()
	p := &Proxy{
		config: c, log: d.Log, callers: newCallers(c.Callers),
		credentials: newCredentials(keyHeaders(c.Upstreams)), idPrefix: idPrefix(), active: map[*exchange]struct{}{},
		decoding: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	p.total, p.streamIdle = c.Timeouts.operators()
	p.failures = policy.NewRepeats[[32]byte, [32]byte, [32]byte, *failure](maxRepeats)
	p.metrics = newMetrics(p)
	now := time.Now()
	for _, u := range c.Upstreams {
		p.upstreams = append(p.upstreams, newUpstream(c, u, d, p.metrics, now))
	}
	p.homes = newHomes(p.upstreams)
	p.homes.reserve(&c.Bodies) // what it may take is not there for bodies
	whole := int64(c.Bodies.MemoryMax)
	c.reserve()
	p.bodies = spool.New(c.Bodies)
	if c.Bodies.SpoolMax > 0 {
		p.bodies.Unspooled = newUnspooled(c.Bodies.Dir, d.Log)
	}
	p.detached = newDetached(p.bodies, whole, resources.Descriptors())
	p.abandoned = &abandoned{detached: p.detached, calls: map[store.Call][]*flight{}}
	var err error
	if p.idempotency, err = newIdempotency(c, d.Log, p.bodies); err != nil {
		for _, u := range p.upstreams {
			u.close()
		}
		return nil, err
	}
	p.relay = p.newRelay()
	return p, p.metrics.register(d.Registry)
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
		return p.once(w, r, x)
	default:
		return p.rejoinable(w, r, x)
	}
	p.relay.ServeHTTP(w, r)
	return nil
}

// serve is all that happens before the relay, one guard after the other.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, x *exchange) error {
	if p.draining.Load() {
		return fail("draining", "Outrigger is shutting down. Send the request again.").After(time.Second)
	}
	x.target = p.targetOf(r)
	x.page = p.callers.page(r, x.target)
	if err := p.callers.admit(r, x.target); err != nil {
		return err
	}
	x.caller = p.callers.label(r)
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
	x.goHome(r)
	return nil
}

// open starts the exchange of r and returns r with a context that carries it.
func (p *Proxy) open(w http.ResponseWriter, r *http.Request) (*exchange, *http.Request) {
	x := &exchange{
		p: p, w: w, start: time.Now(), method: r.Method, path: r.URL.Path, agent: r.UserAgent(),
		id: p.newID(),
	}
	x.record.source, x.place = sourceUpstream, &x.first
	ctx, cancel := context.WithCancelCause(r.Context())
	x.cancel = cancel
	x.ctx = context.WithValue(ctx, exchangeKey{}, x)
	x.setDeadline(r)
	x.hears1xx = hears1xx(r)
	p.mu.Lock()
	p.active[x] = struct{}{}
	p.mu.Unlock()
	return x, r.WithContext(x.ctx)
}

// Knows reports whether a caller with this client token, or with "", may call.
func (p *Proxy) Knows(token string) bool { return p.callers.known(token) }

// Drain refuses every new request from now on.
func (p *Proxy) Drain() {
	p.draining.Store(true)
	p.abandoned.end()
}

// Cancel ends all requests that still run, with cause.
func (p *Proxy) Cancel(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for x := range p.active {
		x.cancel(fmt.Errorf("%w: %w", errDraining, cause))
		x.stopReading()
	}
}

// Inflight is the number of requests that are on their way.
func (p *Proxy) Inflight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.active)
}

// Close closes idle connections and the store, and stops timers. Requests must have
// ended.
func (p *Proxy) Close() error {
	for _, u := range p.upstreams {
		u.close()
	}
	return p.idempotency.store.Close()
}

// random returns a number in [0, 1), for jitter.
func (p *Proxy) random() float64 { return mathrand.Float64() }

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
