package carrier

import (
	"net/http"
	"slices"
)

// Identity appends to buf, in one form for one meaning, all of a request that has one of
// the kinds: headers and query parameters. own are further headers that carry a key. No
// two requests that differ in these have the same form.
func Identity(buf []byte, h http.Header, query string, kinds Kinds, own ...string) []byte {
	var space [16]string
	names := space[:0]
	for name, values := range h {
		if kinds.Has(kindOf(name, values, own)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		values := h[name]
		if name == "Cookie" {
			var kept []string
			cookies(values, func(cookie string) { kept = append(kept, cookie) })
			if values = kept; len(kept) == 0 {
				continue
			}
		}
		buf = Append(Append(buf, name), values...)
	}
	Pairs(query, func(p Pair) bool {
		if kinds.Has(Parameter(p.Name)) {
			buf = Append(buf, "?", p.Text)
		}
		return true
	})
	return buf
}

// Kinds is a set of kinds.
type Kinds uint8

// KindsOf returns the set of those kinds.
func KindsOf(kinds ...Kind) Kinds {
	var set Kinds
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// Has reports whether k is in the set.
func (s Kinds) Has(k Kind) bool { return s&(1<<k) != 0 }

// The sets that are asked for.
var (
	// Payer is who pays.
	Payer = KindsOf(Account, Proof)
	// Caller is all that may tell callers apart.
	Caller = KindsOf(Unknown, Account, Proof)
	// Doubtful is what nobody knows.
	Doubtful = KindsOf(Unknown)
	// Shape is how a call is asked for.
	Shape = KindsOf(Asks)
)

// Append appends texts with their number and lengths, so that no two lists collide.
func Append(buf []byte, texts ...string) []byte {
	buf = append(buf, byte(len(texts)), byte(len(texts)>>8))
	for _, t := range texts {
		buf = append(buf, byte(len(t)), byte(len(t)>>8), byte(len(t)>>16), byte(len(t)>>24))
		buf = append(buf, t...)
	}
	return buf
}
