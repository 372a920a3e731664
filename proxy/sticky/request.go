package sticky

import (
	"hash/maphash"
	"net/http"
	"strings"
)

// Request reads what a request refers to. Make it with Map.Request, write the body
// to it if that is JSON, then ask for its Home. Not safe for concurrent use.
type Request struct {
	m       *Map
	owners  []Owner
	scanner scanner

	home    int  // of the first id in the body that is known
	known   bool // there is one
	refers  bool // a member at the top names an object
	forbids bool // "store": false

	sealHome int  // where the first sealed content was made that is known
	isSealed bool // there is some
	bySeal   bool // that decided
}

// Request returns a Request without a body. What one of the owners made known goes before
// what others did.
func (m *Map) Request(owners ...Owner) *Request {
	r := &Request{m: m, owners: owners}
	r.scanner = newScanner(func(key []byte) bool { return names(key) || string(key) == "store" || refers(key) }, r.visit)
	r.scanner.seal = seal{seed: m.seed, visit: r.visitSeal}
	return r
}

func (r *Request) visitSeal(sum uint64) {
	if !r.isSealed {
		r.sealHome, r.isSealed = r.m.find(r.owners, sum)
	}
}

// BySeal reports whether encrypted content decided on the home that was returned last.
func (r *Request) BySeal() bool { return r.bySeal }

// Write reads the next bytes of the body, in pieces of any size. It always returns
// len(p) and nil.
func (r *Request) Write(p []byte) (int, error) { return r.scanner.Write(p) }

func (r *Request) visit(v member) {
	switch {
	case v.value == nil:
		r.forbids = r.forbids || v.depth == 1 && v.literal == 'f' && string(v.key) == "store"
		return
	case len(v.value) == 0:
		return
	}
	r.refers = r.refers || v.depth == 1 && refers(v.key) || v.depth == 2 && string(v.outer) == "conversation"
	if r.known || !isID(v.value) {
		return
	}
	r.home, r.known = r.m.find(r.owners, maphash.Bytes(r.m.seed, v.value))
}

// Home returns the home that a call of an endpoint must go to, and whether there is
// one; if not, any will do. Path is the one that the caller sent, escaped.
func (r *Request) Home(endpoint, method, path string) (int, bool) {
	home, known, named := 0, false, false
	kind := holds(endpoint)
	if kind != Nothing {
		home, known, named = r.ofPath(endpoint, path)
	}
	r.bySeal = !known && !r.known && r.isSealed
	switch {
	case known:
		return home, true
	case r.known:
		return r.home, true
	case r.isSealed:
		return r.sealHome, true
	case kind == Nothing:
		return 0, false
	case named, r.refers && endpoint != "chat.completions": // which has no such members of its own
		return 0, true
	case (method == http.MethodGet || method == http.MethodHead) && endpoint != "responses":
		return 0, true // a list; GET responses without an id is a WebSocket, which begins anew
	}
	return 0, false
}

// inPath is how many ids of a path are looked up. No endpoint has more than three.
const inPath = 4

// ofPath returns the home of the first known id in a path, and whether any id is
// named: a segment that is none of the endpoint's own words.
func (r *Request) ofPath(endpoint, path string) (int, bool, bool) {
	word, words, _ := strings.Cut(endpoint, ".")
	begun, named := false, 0
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "":
		case segment == word:
			begun = true
			word, words, _ = strings.Cut(words, ".")
		case begun && named < inPath:
			named++
			if home, known := r.m.find(r.owners, maphash.String(r.m.seed, segment)); known {
				return home, true, true
			}
		}
	}
	return 0, false, named > 0
}
