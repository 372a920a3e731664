package access

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"outrigger/internal/clip"
	"outrigger/proxy/carrier"
	"outrigger/proxy/wire"
)

const (
	// MaxNames bounds the names that callers give themselves: as many as there are models in metrics.
	MaxNames = 50
	// OtherNames stands for the names beyond that, and for those that are a token's.
	OtherNames = "other"
	// maxGiven bounds the spellings that are remembered: a name may have several.
	maxGiven = 4 * MaxNames
	// maxOwn bounds a name that a caller gives itself, in bytes: behind a token's name of at most 32
	// it is as long as a model's label.
	maxOwn = 31
	// maxName is the longest header that is remembered, in bytes.
	maxName = 128
)

// given is what a caller says of itself: the name of its token, and its header.
type given struct{ token, header string }

// names are those that callers gave themselves. The first MaxNames stay. Safe for concurrent use;
// the zero value is empty.
type names struct {
	mu    sync.RWMutex
	known map[given]string
	taken map[string]bool
}

// KeepNames has cs go on with the names that before knows: those are in metrics already.
func (cs *Callers) KeepNames(before *Callers) { cs.names = before.names }

// nameOf returns the name of the caller of r, which presented t, or nil for none.
func (cs *Callers) nameOf(r *http.Request, t *clientToken) string {
	token := ""
	if t != nil {
		token = t.name
	}
	if !cs.header {
		return token
	}
	header := r.Header.Get(wire.HeaderCaller)
	if header == "" {
		return token
	}
	name := cs.names.of(given{token, header})
	if token == "" && cs.isToken(name) {
		return OtherNames
	}
	return name
}

// isToken reports whether a token has that name.
func (cs *Callers) isToken(name string) bool {
	return slices.ContainsFunc(*cs.tokens.Load(), func(t clientToken) bool { return t.name == name && name != "" })
}

// of returns the name of a caller that says g of itself.
func (ns *names) of(g given) string {
	ns.mu.RLock()
	name, ok := ns.known[g]
	ns.mu.RUnlock()
	if ok {
		return name
	}
	clean := cleanName(g.header)
	switch {
	case clean == "":
		return g.token
	case g.token != "":
		name = g.token + "/" + clean
	default:
		name = clean
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if !ns.taken[name] {
		if len(ns.taken) >= MaxNames {
			if g.token != "" {
				return g.token + "/" + OtherNames
			}
			return OtherNames
		}
		if ns.taken == nil {
			ns.taken, ns.known = map[string]bool{}, map[given]string{}
		}
		ns.taken[name] = true
	}
	if len(ns.known) < maxGiven && len(g.header) <= maxName {
		g.header = strings.Clone(g.header) // it may share memory with the whole request
		ns.known[g] = name
	}
	return name
}

// cleanName makes the header a label: letters, digits, dots, hyphens and underscores, and _ for
// each other byte. What looks like a key is none.
func cleanName(header string) string {
	header = strings.TrimSpace(header)
	if carrier.Mask(header) != header {
		return ""
	}
	clean := []byte(header)
	for i, c := range clean {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-':
		default:
			clean[i] = '_'
		}
	}
	return clip.Text(string(clean), maxOwn)
}
