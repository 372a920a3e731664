package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/resources"
	"outrigger/proxy/access"
	"outrigger/proxy/apierror"
	"outrigger/proxy/batches"
	"outrigger/proxy/body"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/fleet"
	"outrigger/proxy/idempotency"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
	"outrigger/proxy/outward"
	"outrigger/proxy/recent"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
	"outrigger/proxy/status"
	proxywire "outrigger/proxy/wire"
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
	// Tracer records requests as parts of distributed traces; nil when nobody wants that.
	Tracer observe.Tracer
}

// Proxy is the traffic listener's handler. Make it with New. It is safe for
// concurrent use.
type Proxy struct {
	generation atomic.Pointer[generation]
	reloading  sync.Mutex
	given      settings.Config // as New or Reload was; under reloading
	deps       Deps
	calls      *idempotency.Calls
	relay      *httputil.ReverseProxy
	inflight   *proxycall.Inflight

	// What all generations share:
	recorder    observe.Recorder
	recent      *recent.Recorder
	credentials *carrier.Credentials
	fleet       *fleet.Fleet // nil where nothing is shared
	names       *proxycall.Namer
	failures    *negative.Failures
	batches     *batches.Batches
	decoding    chan struct{} // has one for each body that is being decoded
	observing   *observing    // nil in enforce mode

	idPrefix string
	ids      atomic.Uint64
}

// New returns the handler for a configuration that internal/config has validated.
func New(c settings.Config, d Deps) (*Proxy, error) {
	if len(c.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	metrics, err := observe.NewMetrics(d.Registry)
	if err != nil {
		return nil, err
	}
	given := c
	c.Store.Bytes = c.StoreBytes()
	own := settings.KeyHeaders(c.Upstreams)
	last := recent.New(time.Now())
	live := observe.Recorders{observe.NewLog(d.Log), metrics}
	if d.Tracer != nil {
		live = append(live, d.Tracer)
	}
	recorders := append(slices.Clone(live), last)
	p := &Proxy{
		given: given,
		deps:  d, recorder: recorders, recent: last, inflight: proxycall.NewInflight(),
		credentials: carrier.NewCredentials(own), failures: negative.NewFailures(), batches: batches.New(recorders), decoding: decoders(), idPrefix: idPrefix(),
	}
	if c.Mode == settings.ModeObserve {
		p.observing = newObserving(p, live)
		last.Observe()
		c = c.Observed()
	}
	if c.Fleet.Shared() {
		if err := p.join(c.Fleet); err != nil {
			return nil, err
		}
	}
	p.names = proxycall.NewNamer(own, func() bool { return p.gen().callers.HaveTokens() })
	g := p.newGeneration(c, nil, nil)
	g.Homes.Reserve(&c.Bodies) // what it may take is not there for bodies
	whole := int64(c.Bodies.MemoryMax)
	c.Reserve()
	g.Bodies = spool.New(c.Bodies)
	if c.Bodies.SpoolMax > 0 {
		g.Bodies.Unspooled = newUnspooled(c.Bodies.Dir, d.Log)
	}
	p.generation.Store(g)
	p.calls, err = idempotency.NewCalls(idempotency.CallSettings{
		Store: c.Store, Rejoin: c.Rejoin, Total: c.Timeouts.Total, BodyMemory: int64(c.Bodies.BodyMemory), Memory: whole, Descriptors: resources.Descriptors(),
	}, d.Log, p.recorder, p.names, p.inflight, g.Bodies)
	if err != nil {
		g.close()
		return nil, err
	}
	p.relay = p.newRelay(d.Log)
	return p, d.Registry.Register(status.NewCollector(p.source, metrics.Model))
}

// ServeHTTP takes one request along the whole path.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.observing != nil {
		p.observing.ServeHTTP(w, r)
		return
	}
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
	if x.Once != nil && r.ProtoMajor == 1 {
		takeRest(w, r)
	}
}

// forward gets the answer: from the upstream, or as the same call got it.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, x *exchange) error {
	switch {
	case x.Identity.Body == nil, x.Once != nil: // nobody asks, or can tell, whether there was one like it
	case x.Identity.Key != "":
		return p.calls.Once(w, r, x.caller())
	default:
		return p.calls.Rejoinable(w, r, x.caller())
	}
	p.relay.ServeHTTP(w, r)
	return nil
}

// admit decides who may call.
func (p *Proxy) admit(r *http.Request, x *exchange) error {
	if p.inflight.Begun.Load() {
		return apierror.New(apierror.Draining, "Outrigger is shutting down. Send the request again.").After(time.Second)
	}
	x.Target = x.gen.targetOf(r)
	x.Page = x.gen.callers.Page(r, x.Target)
	if err := x.gen.callers.Admit(r, x.Target); err != nil {
		return err
	}
	if x.Page != "" && access.IsPreflight(r) {
		return errPreflight
	}
	return nil
}

// serve is all that happens before the relay, one guard after the other.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, x *exchange) error {
	if err := p.admit(r, x); err != nil {
		return err
	}
	if err := x.lookAtCaller(r); err != nil {
		return err
	}
	if err := x.route(r); err != nil {
		return err
	}
	if err := checkTarget(r); err != nil {
		return err
	}
	x.repairBase(r)
	switch {
	case !proxywire.IsWebSocket(r.Header):
		proxywire.DropUpgrade(r.Header)
	case x.Config.WebSocket == settings.WebSocketRefuse:
		return apierror.New(apierror.WebSocketRefused, "WebSockets are switched off (OUTRIGGER_WEBSOCKET=refuse). Send the request by HTTP.")
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
	if home := x.Homes.Home(&x.Affinity, x.Call, r.URL.EscapedPath()); home != nil {
		x.Candidates, x.Up = home, home[0]
	}
	return nil
}

// open starts the exchange of r and returns r with a context that carries it.
func (p *Proxy) open(w http.ResponseWriter, r *http.Request) (*exchange, *http.Request) {
	x := p.newExchange(r.Context(), p.pin(), w, &proxycall.Call{
		ID: p.newID(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Agent: r.UserAgent(), Start: time.Now(), Hears1xx: body.Hears1xx(r),
	})
	x.setDeadline(r)
	if p.deps.Tracer != nil {
		p.deps.Tracer.Enter(x.Call, r.Header)
	}
	p.inflight.Add(&x.Life)
	return x, r.WithContext(x.Ctx)
}

// Knows reports whether a caller with this client token, or with "", may call.
func (p *Proxy) Knows(token string) bool { return p.gen().callers.Known(token) }

// source is where the present state is read.
func (p *Proxy) source() status.Source {
	g := p.gen()
	return status.Source{Inflight: p.inflight, Bodies: g.Bodies, Calls: p.calls, Lanes: g.Upstreams, Fleet: p.fleet, Recent: p.recent}
}

// Recent has the last requests.
func (p *Proxy) Recent() *recent.Recorder { return p.recent }

// Status returns the present state.
func (p *Proxy) Status() status.Status { return p.source().Status() }

// Close closes idle connections and the store, and stops timers. Requests must have
// ended.
func (p *Proxy) Close() error {
	if p.observing != nil {
		p.observing.close()
	}
	p.gen().close()
	if p.fleet != nil {
		p.fleet.Close()
	}
	return p.calls.Close()
}
