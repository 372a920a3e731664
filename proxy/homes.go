package proxy

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/internal/values"
	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
	"outrigger/proxy/spool"
	"outrigger/proxy/sticky"
)

// homes are the places where objects live: the upstreams, but for those that are
// one place under several names.
type homes struct {
	known     *sticky.Map
	upstreams [][]*lane // by home, in failover order
}

// newHomes gives each upstream its home. It returns nil when there is only one:
// then nothing has to be remembered.
func newHomes(upstreams []*lane) *homes {
	h := &homes{}
	for _, up := range upstreams {
		i := slices.IndexFunc(h.upstreams, func(known []*lane) bool { return sameHome(known[0], up) })
		if i < 0 {
			i = len(h.upstreams)
			h.upstreams = append(h.upstreams, nil)
		}
		up.home = i
		h.upstreams[i] = append(h.upstreams[i], up)
	}
	if len(h.upstreams) == 1 {
		return nil
	}
	return h
}

// memoryShare is the part of OUTRIGGER_MEMORY_MAX that homes take at most: 1/16 of it.
const memoryShare = 16

// reserve makes the memory of homes, and takes what it may grow to out of what there is for bodies.
func (h *homes) reserve(bodies *spool.Config) {
	if h == nil {
		return
	}
	size := min(sticky.Bytes, int64(bodies.MemoryMax)/memoryShare)
	h.known = sticky.New(size)
	bodies.MemoryMax -= values.Bytes(size)
}

// sameHome reports whether two upstreams are one place: the same address, asked with
// the same key for the same account.
func sameHome(a, b *lane) bool {
	address := func(u *lane) string {
		call := u.preset.Call("/v1/files", "")
		return strings.ToLower(u.config.URL.Scheme+"://"+u.config.URL.Host) + call.Path
	}
	return address(a) == address(b) && a.config.APIKey.Reveal() == b.config.APIKey.Reveal() &&
		slices.Equal(a.config.Headers, b.config.Headers)
}

// owners are those on whose word r's caller takes it that an object lives somewhere: its
// own credential, and the one that everybody uses where theirs is not passed on.
func (x *exchange) owners(r *http.Request) [2]sticky.Owner {
	token := []byte(intercept.Token(r.Context()))
	for _, value := range r.Header[headerToken] {
		token = carrier.Append(token, value)
	}
	secret := x.names.secret
	own, lent := keyed(secret, x.names.caller([]byte("own"), r)), keyed(secret, append([]byte("lent"), token...))
	return [...]sticky.Owner{sticky.Owner(own[:16]), sticky.Owner(lent[:16])}
}

// teller is on whose word the present upstream's answers tell of objects.
func (x *Run) teller() sticky.Owner {
	if x.up.replacesKey(x.meant) {
		return x.told[1]
	}
	return x.told[0]
}

// reads returns what finds the references in a request, nil when nobody needs them.
func (x *exchange) reads(r *http.Request) *sticky.Request {
	h := x.homes
	if h == nil {
		return nil
	}
	x.told = x.owners(r)
	return h.known.Request(x.told[:]...)
}

// goHome sends the request to where the objects live that it refers to, and keeps
// it there. A caller that asked for an upstream by name knows better.
func (x *exchange) goHome(r *http.Request) {
	h := x.homes
	if h == nil || x.meant {
		return
	}
	home, bound := x.references.Home(x.endpoint.Name, x.method, r.URL.EscapedPath())
	if !bound {
		return
	}
	x.candidates, x.sticky, x.sealed = h.upstreams[home], true, x.references.BySeal()
	x.up = x.candidates[0]
}

// tells reports whether the answer may tell of objects: it has to be readable.
func (x *Run) tells() bool {
	return x.homes != nil && (sticky.Tells(x.endpoint.Name, x.method, x.facts.Store) || sticky.Seals(x.endpoint.Name, x.method))
}

// withSeal returns e with a word on why the request went to no other upstream, if that is
// for what it encrypted.
func (x *exchange) withSeal(e *Error) *Error {
	if !x.sealed || x.up == nil {
		return e
	}
	switch e.Code {
	case "circuit_open", "upstream_unreachable", "upstream_broke", "upstream_timeout", "local_rate_limit":
	default:
		return e
	}
	told := *e
	told.Message += " The request has encrypted_content that upstream \"" + x.up.config.Name + "\" made and no other can read, so it was sent nowhere else: " +
		"wait for that upstream, or send the request without those items."
	return &told
}

// learner returns what reads the ids of a committed answer, nil when it has none.
func (x *Run) learner(resp *http.Response) *sticky.Learner {
	if x.homes == nil || resp.StatusCode >= http.StatusMultipleChoices || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	if location := resp.Header.Get("Location"); location != "" {
		x.homes.known.Located(x.teller(), x.endpoint.Name, x.method, location, x.up.home)
	}
	switch mediaType(resp.Header) {
	case "application/json", "text/event-stream":
		return x.homes.known.Learner(x.teller(), x.endpoint.Name, x.method, x.facts.Store, x.references, x.up.home)
	}
	return nil
}
