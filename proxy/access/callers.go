package access

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"outrigger/policy/priority"
	"outrigger/proxy/apierror"
	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
	"outrigger/proxy/wire"
)

// Callers decides who may call, before anything of a request is read.
type Callers struct {
	tokens     atomic.Pointer[[]clientToken]
	header     bool                         // callers may name themselves
	names      *names                       // that they gave themselves, in this configuration and in those before
	priority   priority.Priority            // of calls that say nothing about theirs
	priorities map[string]priority.Priority // by the name of a token
	origins    []string
	hosts      []string // nil: any
}

// NewCallers returns what lets the callers in that c allows.
func NewCallers(c settings.Callers) *Callers {
	cs := &Callers{priority: c.Priority, priorities: map[string]priority.Priority{}, header: c.Header, names: &names{}}
	cs.SetTokens(c.Tokens)
	for _, p := range c.TokenPriorities {
		cs.priorities[p.Name] = p.Priority
	}
	for _, o := range c.Origins {
		if o != "none" {
			cs.origins = append(cs.origins, strings.ToLower(o))
		}
	}
	cs.hosts = servedHosts(c)
	return cs
}

// servedHosts is which Host values are served. On loopback only its own names
// are, against DNS rebinding: a page's own name, resolved to 127.0.0.1.
func servedHosts(c settings.Callers) []string {
	if len(c.Hosts) > 0 {
		hosts := make([]string, 0, len(c.Hosts))
		for _, h := range c.Hosts {
			hosts = append(hosts, strings.ToLower(strings.Trim(h, "[]")))
		}
		return hosts
	}
	listen, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		listen = c.Listen
	}
	ip := net.ParseIP(listen)
	if listen != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	return []string{"localhost", "127.0.0.1", "::1", strings.ToLower(listen)}
}

// Admit returns nil for a request that may go on. target is the upstream's host that
// it is meant for, if it is not meant for this listener.
func (cs *Callers) Admit(r *http.Request, target string) error {
	if r.Method == http.MethodConnect {
		return apierror.New(apierror.BadRequest, "CONNECT is not served here. Set OPENAI_BASE_URL to this listener instead of HTTPS_PROXY, or OUTRIGGER_INTERCEPT=on.")
	}
	if target != "" {
		return cs.admitTo(r, target)
	}
	if r.URL.IsAbs() && !cs.serves(r.URL.Host) {
		return apierror.New(apierror.BadRequest, "This is no open proxy: it does not forward to %q. "+
			"Set OPENAI_BASE_URL to this listener instead of HTTP_PROXY.", Short(r.URL.Host))
	}
	if !cs.serves(r.Host) {
		return apierror.New(apierror.HostNotAllowed, "Host %q is not served. Call by a loopback name, or list it in OUTRIGGER_ALLOWED_HOSTS.", Short(r.Host))
	}
	if err := cs.admitPage(r); err != nil {
		return err
	}
	if !IsPreflight(r) && !cs.Known(r.Header.Get(wire.HeaderToken)) {
		return apierror.New(apierror.ClientTokenRequired, "This proxy asks for a client token. Send one of OUTRIGGER_CLIENT_TOKENS in x-outrigger-token.")
	}
	return nil
}

// admitPage returns nil for a request that comes from no browser page, or from one
// that may call.
func (cs *Callers) admitPage(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" && !slices.Contains(cs.origins, strings.ToLower(origin)) {
		return apierror.New(apierror.OriginNotAllowed, "Pages of origin %q may not call. List it in OUTRIGGER_ALLOWED_ORIGINS if they should.", Short(origin))
	}
	// A page's request for a picture or a script has no Origin, but this.
	if site := r.Header.Get("Sec-Fetch-Site"); r.Header.Get("Origin") == "" && (site == "cross-site" || site == "same-site") {
		return apierror.New(apierror.OriginNotAllowed, "Browser pages may not call. List their origin in OUTRIGGER_ALLOWED_ORIGINS if they should.")
	}
	return nil
}

// serves reports whether hostport names this server.
func (cs *Callers) serves(hostport string) bool {
	if cs.hosts == nil {
		return true
	}
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	return slices.Contains(cs.hosts, host)
}

// Short bounds a caller's text in a message, without what looks like a key in it.
func Short(s string) string {
	s = carrier.Mask(s)
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// admitTo returns nil for a request to an upstream's own host that may go on. Of an
// intercepted tunnel the token was asked for when it was opened.
func (cs *Callers) admitTo(r *http.Request, target string) error {
	scheme := "https"
	if r.TLS == nil {
		scheme = "http"
	}
	through := intercept.Target(r.Context()) != ""
	if through && intercept.Authority(&url.URL{Scheme: scheme, Host: r.Host}) != target {
		return apierror.New(apierror.HostNotAllowed, "Host %q is not served here: this is a tunnel to %s.", Short(r.Host), target)
	}
	if err := cs.admitPage(r); err != nil {
		return err
	}
	if !through && !cs.Known(r.Header.Get(wire.HeaderToken)) && !cs.Known(intercept.TokenOf(r)) {
		return apierror.New(apierror.ClientTokenRequired, "This proxy asks for a client token. Put one of OUTRIGGER_CLIENT_TOKENS into the proxy's URL: HTTP_PROXY=http://TOKEN@host:port.")
	}
	return nil
}
