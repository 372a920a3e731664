package affinity

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"outrigger/internal/values"
	"outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
	"outrigger/proxy/lane"
	"outrigger/proxy/spool"
	"outrigger/proxy/sticky"
	"outrigger/proxy/upstream"
	"outrigger/proxy/wire"
)

// Homes are the places where objects live: the upstreams, but for those that are
// one place under several names.
type Homes struct {
	known     *sticky.Map
	upstreams map[int][]*lane.Lane // by home, in failover order
	next      int                  // the first number that no home had yet
}

// NewHomes gives each upstream its home. It returns nil when there is only one: then nothing
// has to be remembered. before are those of the configuration before, nil if there are none:
// what they know is kept, and so is the number of each home that is still there.
func NewHomes(upstreams []*lane.Lane, before *Homes) *Homes {
	var places [][]*lane.Lane
	for _, up := range upstreams {
		i := slices.IndexFunc(places, func(known []*lane.Lane) bool { return sameHome(known[0], up) })
		if i < 0 {
			i = len(places)
			places = append(places, nil)
		}
		places[i] = append(places[i], up)
	}
	if len(places) == 1 {
		return nil
	}
	h := &Homes{upstreams: map[int][]*lane.Lane{}}
	if before != nil && before.next <= mostHomes {
		h.known, h.next = before.known, before.next
	} else {
		before = nil
	}
	for _, place := range places {
		home, known := before.homeOf(place)
		if !known || h.upstreams[home] != nil {
			home = h.next
			h.next++
		}
		h.upstreams[home] = place
		for _, up := range place {
			up.Home = home
		}
	}
	if h.known == nil {
		h.known = sticky.New(sticky.Bytes)
	}
	return h
}

// mostHomes bounds the numbers of homes, which package sticky keeps in 16 bits.
const mostHomes = 1 << 15

// homeOf returns the home that one of some upstreams had.
func (h *Homes) homeOf(place []*lane.Lane) (int, bool) {
	if h == nil {
		return 0, false
	}
	for _, home := range slices.Sorted(maps.Keys(h.upstreams)) {
		for _, up := range place {
			if slices.ContainsFunc(h.upstreams[home], func(k *lane.Lane) bool { return k.Learned == up.Learned }) {
				return home, true
			}
		}
	}
	return 0, false
}

// memoryShare is the part of OUTRIGGER_MEMORY_MAX that homes take at most: 1/16 of it.
const memoryShare = 16

// Reserve makes the memory of affinity, and takes what it may grow to out of what there is for bodies.
func (h *Homes) Reserve(bodies *spool.Config) {
	if h == nil {
		return
	}
	size := min(sticky.Bytes, int64(bodies.MemoryMax)/memoryShare)
	h.known = sticky.New(size)
	bodies.MemoryMax -= values.Bytes(size)
}

// sameHome reports whether two upstreams are one place: the same address, asked with
// the same key for the same account.
func sameHome(a, b *lane.Lane) bool {
	address := func(u *lane.Lane) string {
		call := u.Preset.Call("/v1/files", "")
		return strings.ToLower(u.Config.URL.Scheme+"://"+u.Config.URL.Host) + call.Path
	}
	return address(a) == address(b) && a.Config.APIKey.Reveal() == b.Config.APIKey.Reveal() &&
		slices.Equal(a.Config.Headers, b.Config.Headers)
}

// owners are those on whose word r's caller takes it that an object lives somewhere: its
// own credential, and the one that everybody uses where theirs is not passed on.
func owners(names *call.Namer, r *http.Request) [2]sticky.Owner {
	token := []byte(intercept.Token(r.Context()))
	for _, value := range r.Header[wire.HeaderToken] {
		token = carrier.Append(token, value)
	}
	own, lent := call.Keyed(names.Secret, names.Caller([]byte("own"), r)), call.Keyed(names.Secret, append([]byte("lent"), token...))
	return [...]sticky.Owner{sticky.Owner(own[:16]), sticky.Owner(lent[:16])}
}

// Affinity is what ties a call to the upstream where its objects live.
type Affinity struct {
	References *sticky.Request // what the request refers to; nil when nobody asks
	told       [2]sticky.Owner // see owners
	Sticky     bool            // the call had to go where its objects live
	Sealed     bool            // for encrypted content that was made there
}

// Reads returns what finds the references in a request; it finds nothing when nobody needs them.
func (h *Homes) Reads(names *call.Namer, r *http.Request) Affinity {
	if h == nil {
		return Affinity{}
	}
	a := Affinity{told: owners(names, r)}
	a.References = h.known.Request(a.told[:]...)
	return a
}

// Anew forgets what the request was seen to refer to.
func (h *Homes) Anew(a *Affinity) { a.References = h.known.Request(a.told[:]...) }

// Home returns the upstreams where the objects live that a request refers to, nil where none
// is bound to any. A caller that asked for an upstream by name knows better.
func (h *Homes) Home(a *Affinity, c *call.Call, path string) []*lane.Lane {
	if h == nil || c.Meant {
		return nil
	}
	home, bound := a.References.Home(c.Endpoint.Name, c.Method, path)
	if !bound || h.upstreams[home] == nil { // or it is no upstream any more
		return nil
	}
	a.Sticky, a.Sealed = true, a.References.BySeal()
	return h.upstreams[home]
}

// Tells reports whether the answer may tell of objects: it has to be readable.
func (h *Homes) Tells(c *call.Call) bool {
	return h != nil && (sticky.Tells(c.Endpoint.Name, c.Method, c.Facts.Store) || sticky.Seals(c.Endpoint.Name, c.Method))
}

// Learner returns what reads the ids of an answer of up's, nil when it has none.
func (h *Homes) Learner(a *Affinity, c *call.Call, up *upstream.API, resp *http.Response) *sticky.Learner {
	if h == nil || resp.StatusCode >= http.StatusMultipleChoices || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	teller := a.told[0] // on whose word the answer tells of objects
	if up.ReplacesKey(c.Meant) {
		teller = a.told[1]
	}
	if location := resp.Header.Get("Location"); location != "" {
		h.known.Located(teller, c.Endpoint.Name, c.Method, location, up.Home)
	}
	switch wire.MediaType(resp.Header) {
	case "application/json", "text/event-stream":
		return h.known.Learner(teller, c.Endpoint.Name, c.Method, c.Facts.Store, a.References, up.Home)
	}
	return nil
}
