package echoes

import "strings"

// Parts are what of an answer its request had said. The zero value is nothing.
type Parts struct {
	// Said are the parts, each as its words in lower case with spaces between.
	Said []string
	// All says that what the request said is not known, so that all of a text may be its own.
	All bool
}

// None reports whether nothing was said.
func (p Parts) None() bool { return !p.All && len(p.Said) == 0 }

// name stands where a part was: a name that means nothing, since most parts are names.
const name = "x1"

// Cut returns text without the parts. Where one was stands a name.
func (p Parts) Cut(text string) string {
	switch {
	case text == "" || p.None():
		return text
	case p.All:
		return ""
	}
	var words []word
	s := scanner{text: text}
	for w, ok := s.next(); ok; w, ok = s.next() {
		words = append(words, w)
	}
	said := make([]bool, len(words)+1)
	for _, part := range p.Said {
		mark(words, said, strings.Split(part, " "))
	}
	var b strings.Builder
	at := 0
	for i := 0; i < len(words); i++ {
		if !said[i] {
			continue
		}
		b.WriteString(text[at:words[i].start])
		b.WriteString(name)
		for said[i+1] {
			i++
		}
		at = words[i].end
	}
	if at == 0 {
		return text
	}
	return b.String() + text[at:]
}

// Holds reports whether a part stands in text.
func (p Parts) Holds(text string) bool { return p.Cut(text) != text }

// mark notes where a part stands among words.
func mark(words []word, said []bool, part []string) {
	for i := range len(words) - len(part) + 1 {
		n := 0
		for n < len(part) && words[i+n].text == part[n] {
			n++
		}
		if n == len(part) {
			for j := range part {
				said[i+j] = true
			}
		}
	}
}
