package intercept

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/resources"
	"outrigger/proxy/apierror"
	"outrigger/proxy/outward"
)

// Options are what a Handler works with. All but Targets and Proxies are needed.
type Options struct {
	// Next serves what is no CONNECT.
	Next http.Handler
	// Targets are the authorities, as Authority has them, that tunnels are not
	// dialled to: their connections are offered instead.
	Targets []string
	// Offer takes over a caller's connection that was a tunnel to target, opened with
	// a client token or "", with what the caller has sent in it already.
	Offer func(c net.Conn, target, token string, unread []byte)
	// Knows reports whether a caller with this client token, or "", may call.
	Knows func(token string) bool
	// Listen is this process's own traffic listener, host:port.
	Listen string
	// Proxies are those on the way out of tunnels; nil is none.
	Proxies *outward.Proxies
	// Connect bounds the dialling of a tunnel.
	Connect  time.Duration
	Log      *slog.Logger
	Registry prometheus.Registerer
}

// Handler serves CONNECT and passes all else on. Make it with New. It is safe for
// concurrent use.
type Handler struct {
	options  Options
	targets  map[string]bool
	dial     func(ctx context.Context, host, port string) (net.Conn, error)
	tunnels  tunnels
	total    *prometheus.CounterVec
	draining atomic.Bool
}

// New returns a Handler. The error is the registry's.
func New(o Options) (*Handler, error) {
	d := &dialer{timeout: o.Connect, outward: Outward(o.Proxies, o.Listen), control: onlyPublic}
	h := &Handler{options: o, targets: map[string]bool{}, dial: d.dial, tunnels: tunnels{open: map[*tunnel]struct{}{}}}
	for _, target := range o.Targets {
		h.targets[target] = true
	}
	h.total = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrigger_tunnels_total", Help: "CONNECT requests, by what became of them.",
	}, []string{"outcome"})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "outrigger_tunnels_open", Help: "Blind tunnels that are open.",
	}, func() float64 { return float64(h.tunnels.count()) })
	return h, errors.Join(o.Registry.Register(h.total), o.Registry.Register(open))
}

// ServeHTTP opens a tunnel, or has the next handler answer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		h.options.Next.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	host, port, refusal := h.admit(r)
	switch {
	case refusal != nil:
	case h.targets[net.JoinHostPort(host, port)]:
		refusal = h.intercept(w, net.JoinHostPort(host, port), TokenOf(r))
	default:
		refusal = h.tunnel(w, r, host, port, start)
	}
	if refusal == nil {
		return
	}
	outcome := "refused"
	if refusal.Status == http.StatusBadGateway {
		outcome = "failed"
	}
	h.total.WithLabelValues(outcome).Inc()
	h.options.Log.Info("tunnel", slog.String("host", host), slog.String("outcome", outcome),
		slog.String("error_code", string(refusal.Code)), slog.String("error", refusal.Message))
	write(w, refusal)
}

// admit returns the host and port that a tunnel is asked to, or why there is none.
func (h *Handler) admit(r *http.Request) (string, string, *apierror.Error) {
	host, port, ok := parse(r.RequestURI)
	switch {
	case r.ProtoMajor != 1:
		return host, port, apierror.New(apierror.BadRequest, "Tunnels are served over HTTP/1.1 only.")
	case Target(r.Context()) != "":
		return host, port, apierror.New(apierror.BadRequest, "A tunnel inside of a tunnel to an upstream is not served.")
	case !ok:
		return host, port, apierror.New(apierror.BadRequest, "CONNECT wants host:port.")
	case !h.options.Knows(TokenOf(r)):
		return host, port, tokenRequired()
	}
	return host, port, nil
}

// intercept turns the tunnel to an upstream into a caller's connection.
func (h *Handler) intercept(w http.ResponseWriter, target, token string) *apierror.Error {
	conn, unread, refusal := establish(w)
	if refusal != nil {
		return refusal
	}
	h.total.WithLabelValues("intercepted").Inc()
	h.options.Log.Debug("tunnel", slog.String("host", target), slog.String("outcome", "intercepted"))
	h.options.Offer(conn, target, token, unread)
	return nil
}

// tunnel opens a blind tunnel and returns at its end.
func (h *Handler) tunnel(w http.ResponseWriter, r *http.Request, host, port string, start time.Time) *apierror.Error {
	switch {
	case port != "443":
		return apierror.New(apierror.TunnelRefused, "Outrigger tunnels to port 443 only, and to its upstreams.")
	case h.draining.Load(): // to an upstream all goes on: the answer in there says so
		return apierror.New(apierror.Draining, "Outrigger is shutting down.")
	case !h.tunnels.room():
		return apierror.New(apierror.TunnelsFull, "%d tunnels are open, the most that may be.", maxTunnels)
	}
	far, err := h.dial(r.Context(), host, port)
	if err != nil {
		h.tunnels.giveUp()
		return failed(host, err)
	}
	near, unread, refusal := establish(w)
	if refusal != nil {
		_ = far.Close()
		h.tunnels.giveUp()
		return refusal
	}
	t := newTunnel(near, far, tunnelIdle)
	h.tunnels.add(t)
	defer h.tunnels.remove(t)
	t.run(unread)
	outcome := "completed"
	switch {
	case t.cut.Load():
		outcome = "shutdown"
	case t.silent.Load():
		outcome = "idle"
	}
	h.total.WithLabelValues(outcome).Inc()
	h.options.Log.Info("tunnel", slog.String("host", host), slog.String("outcome", outcome), slog.Int64("bytes_up", t.up.Load()),
		slog.Int64("bytes_down", t.down.Load()), slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000))
	return nil
}

// failed tells why a tunnel's far end could not be had.
func failed(host string, err error) *apierror.Error {
	if errors.Is(err, ErrAddress) {
		return apierror.New(apierror.TunnelRefused, "Outrigger tunnels to public addresses only: %s is, or resolves to, none.", host)
	}
	if lack := resources.Shortage(err); lack != "" {
		return apierror.New(apierror.ResourcesExhausted, "Outrigger cannot connect to %s: %s.", host, lack)
	}
	return apierror.New(apierror.TunnelFailed, "Outrigger cannot connect to %s: %s.", host, reason(err))
}

// establish takes the connection over and says that the tunnel stands. It returns
// what the caller has sent already.
func establish(w http.ResponseWriter) (net.Conn, []byte, *apierror.Error) {
	conn, rest, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, apierror.New(apierror.BadRequest, "This connection cannot be made a tunnel.")
	}
	unread := drained(rest.Reader)
	_ = conn.SetDeadline(time.Time{})
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close() // whoever takes it finds that out
	}
	return conn, unread, nil
}

// drained returns what was read ahead of a connection.
func drained(r *bufio.Reader) []byte {
	ahead, _ := r.Peek(r.Buffered())
	return append([]byte(nil), ahead...)
}

// Drain refuses every new blind tunnel from now on.
func (h *Handler) Drain() { h.draining.Store(true) }

// Inflight is the number of blind tunnels that are worth waiting for: bytes moved in
// them a moment ago.
func (h *Handler) Inflight() int { return h.tunnels.busy() }

// Cancel ends all blind tunnels.
func (h *Handler) Cancel() { h.tunnels.end() }

// Close ends all blind tunnels and waits until they are over.
func (h *Handler) Close() {
	h.tunnels.end()
	h.tunnels.tasks.Wait()
}
