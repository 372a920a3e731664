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
func owners(names *namer, r *http.Request) [2]sticky.Owner {
	token := []byte(intercept.Token(r.Context()))
	for _, value := range r.Header[headerToken] {
		token = carrier.Append(token, value)
	}
	own, lent := keyed(names.secret, names.caller([]byte("own"), r)), keyed(names.secret, append([]byte("lent"), token...))
	return [...]sticky.Owner{sticky.Owner(own[:16]), sticky.Owner(lent[:16])}
}

// affinity is what ties a call to the upstream where its objects live.
type affinity struct {
	references *sticky.Request // what the request refers to; nil when nobody asks
	told       [2]sticky.Owner // see owners
	sticky     bool            // the call had to go where its objects live
	sealed     bool            // for encrypted content that was made there
}

// reads returns what finds the references in a request; it finds nothing when nobody needs them.
func (h *homes) reads(names *namer, r *http.Request) affinity {
	if h == nil {
		return affinity{}
	}
	a := affinity{told: owners(names, r)}
	a.references = h.known.Request(a.told[:]...)
	return a
}

// anew forgets what the request was seen to refer to.
func (h *homes) anew(a *affinity) { a.references = h.known.Request(a.told[:]...) }

// home returns the upstreams where the objects live that a request refers to, nil where none
// is bound to any. A caller that asked for an upstream by name knows better.
func (h *homes) home(a *affinity, c *Call, path string) []*lane {
	if h == nil || c.meant {
		return nil
	}
	home, bound := a.references.Home(c.endpoint.Name, c.method, path)
	if !bound {
		return nil
	}
	a.sticky, a.sealed = true, a.references.BySeal()
	return h.upstreams[home]
}

// tells reports whether the answer may tell of objects: it has to be readable.
func (h *homes) tells(c *Call) bool {
	return h != nil && (sticky.Tells(c.endpoint.Name, c.method, c.facts.Store) || sticky.Seals(c.endpoint.Name, c.method))
}

// learner returns what reads the ids of an answer of up's, nil when it has none.
func (h *homes) learner(a *affinity, c *Call, up *API, resp *http.Response) *sticky.Learner {
	if h == nil || resp.StatusCode >= http.StatusMultipleChoices || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	teller := a.told[0] // on whose word the answer tells of objects
	if up.replacesKey(c.meant) {
		teller = a.told[1]
	}
	if location := resp.Header.Get("Location"); location != "" {
		h.known.Located(teller, c.endpoint.Name, c.method, location, up.home)
	}
	switch mediaType(resp.Header) {
	case "application/json", "text/event-stream":
		return h.known.Learner(teller, c.endpoint.Name, c.method, c.facts.Store, a.references, up.home)
	}
	return nil
}
