package sticky

import (
	"hash/maphash"
	"net/http"
	"strings"
)

// most is how many ids of one answer are remembered, so that no answer drives out
// all others. Lists have up to 10,000 entries and seldom over 100.
const most = 1 << 10

// Learner reads the ids of one answer. Make it with Map.Learner. Not safe for
// concurrent use.
type Learner struct {
	scanner scanner
	left    int
}

// Learner returns what reads the answer to a call of an endpoint, if that may tell of
// objects that live at home from then on; else nil. It tells so on owner's word. R is the
// call's, and may be nil; see Tells for the others.
func (m *Map) Learner(owner Owner, endpoint, method string, keep bool, r *Request, home int) *Learner {
	tells, seals := Tells(endpoint, method, keep) && (r == nil || !r.forbids), Seals(endpoint, method)
	if !tells && !seals {
		return nil
	}
	kind := holds(endpoint)
	l := &Learner{left: most}
	var last uint64
	learn := func(kind Kind, key uint64) {
		if key == last || l.left == 0 {
			return // as in each event of a stream
		}
		last = key
		l.left--
		m.put(owner, kind, key, home)
	}
	l.scanner = newScanner(func(key []byte) bool { return tells && names(key) }, func(v member) {
		if v.value != nil && own(endpoint, v) && isID(v.value) {
			learn(kind, maphash.Bytes(m.seed, v.value))
		}
	})
	if seals {
		l.scanner.seal = seal{seed: m.seed, visit: func(sum uint64) { learn(Turns, sum) }}
	}
	return l
}

// Located learns from the Location header of an answer, for which a Learner would be
// made: the answer to realtime/calls is no JSON, and names its call there alone.
func (m *Map) Located(owner Owner, endpoint, method, location string, home int) {
	id := location[strings.LastIndexByte(location, '/')+1:]
	if Tells(endpoint, method, true) && isID([]byte(id)) {
		m.put(owner, holds(endpoint), maphash.String(m.seed, id), home)
	}
}

// Tells reports whether the answer to a call of an endpoint (as package
// policy/endpoint names it) may tell of objects. Keep says that the body asks for a
// chat completion to be kept.
func Tells(endpoint, method string, keep bool) bool {
	switch {
	case method == http.MethodDelete, endpoint == "organization", endpoint == "projects": // of people and keys, which no call refers to
		return false
	case endpoint == "chat.completions" && method == http.MethodPost && !keep:
		return false
	case strings.HasSuffix(endpoint, ".content"), strings.HasSuffix(endpoint, ".results"): // a user's bytes
		return false
	}
	return holds(endpoint) != Nothing
}

// Write reads the next bytes of the answer, in pieces of any size. It always
// returns len(p) and nil.
func (l *Learner) Write(p []byte) (int, error) {
	if l.left == 0 {
		return len(p), nil
	}
	return l.scanner.Write(p)
}
