package echoes

import (
	"slices"
	"strings"
)

// Finder finds what of one answer its request said. Not safe for concurrent use.
type Finder struct {
	answer []word
	quoted [][2]bool        // whether a quote stands before each word, and behind it
	places map[string][]int // of each word in the answer
	runs   []run            // that end at the present word of the request
	next   []run
	fresh  bool // the next word begins a value
	steps  int
	found  map[string]bool

	pending  []byte // of the body, not read yet
	json     bool
	begun    bool
	inString bool
}

// run is a row of words that answer and request share.
type run struct {
	end, length int  // its last word in the answer, and how many they are
	first       bool // it begins where a value of the request does
}

// Bounds of the work on one answer.
const (
	maxWords = 4 << 10 // of the answer
	maxSteps = 4 << 20 // pairs of words that were compared, about
	maxParts = 256
)

// NewFinder returns one for an answer.
func NewFinder(answer []byte) *Finder {
	f := &Finder{places: map[string][]int{}, found: map[string]bool{}, fresh: true}
	text := string(answer)
	s := scanner{text: text}
	for w, ok := s.next(); ok; w, ok = s.next() {
		if len(f.answer) == maxWords {
			f.steps = maxSteps + 1
			break
		}
		f.places[w.text] = append(f.places[w.text], len(f.answer))
		f.answer = append(f.answer, w)
		f.quoted = append(f.quoted, [2]bool{quotes(lastOf(text[:w.start])), quotes(firstOf(text[w.end:]))})
	}
	return f
}

// Value takes a whole value: of a header, of a query, a segment of the path.
func (f *Finder) Value(text string) {
	f.boundary()
	f.words(text)
	f.boundary()
}

// words takes a piece of a value, of whole words.
func (f *Finder) words(text string) {
	s := scanner{text: text}
	for w, ok := s.next(); ok; w, ok = s.next() {
		f.word(w.text)
	}
}

// word takes the next word of the request.
func (f *Finder) word(text string) {
	first := f.fresh
	f.fresh = false
	places := f.places[text]
	if f.steps += len(places) + len(f.runs); f.steps > maxSteps || len(places) == 0 && len(f.runs) == 0 {
		f.runs = f.runs[:0]
		return
	}
	f.next = f.next[:0]
	// Both are in the order of the answer, so one pass joins them.
	i := 0
	for _, at := range places {
		for i < len(f.runs) && f.runs[i].end < at-1 {
			f.close(f.runs[i], false)
			i++
		}
		if i < len(f.runs) && f.runs[i].end == at-1 {
			f.next = append(f.next, run{at, f.runs[i].length + 1, f.runs[i].first})
			i++
			continue
		}
		f.next = append(f.next, run{at, 1, first})
	}
	for _, r := range f.runs[i:] {
		f.close(r, false)
	}
	f.runs, f.next = f.next, f.runs
}

// boundary ends a value.
func (f *Finder) boundary() {
	for _, r := range f.runs {
		f.close(r, true)
	}
	f.runs, f.fresh = f.runs[:0], true
}

// How many words make a part that was surely said by the request: at one end of a value, and within.
const (
	leastAtEnd  = 4
	leastInside = 8
)

// close keeps a run if it is a quotation: a whole value, one that was cut, or many words in a row. Few words that stand in a
// value somewhere are language.
func (f *Finder) close(r run, last bool) {
	begin := r.end - r.length + 1
	at := f.answer[begin : r.end+1]
	switch {
	case r.first && last && (r.length > 1 || !plain[at[0].text]):
	case r.length >= leastInside, (r.first || last) && r.length >= leastAtEnd:
	case r.length > 1 && (r.first && f.quoted[begin][0] || last && f.quoted[r.end][1]):
	default:
		return
	}
	if len(f.found) >= maxParts {
		f.steps = maxSteps + 1
		return
	}
	said := make([]string, len(at))
	for i := range at {
		said[i] = at[i].text
	}
	f.found[strings.Join(said, " ")] = true
}

// Found returns what was found.
func (f *Finder) Found() Parts {
	f.finish()
	if f.steps > maxSteps {
		return Parts{All: true}
	}
	p := Parts{}
	for said := range f.found {
		p.Said = append(p.Said, said)
	}
	slices.Sort(p.Said)
	return p
}

// quotes reports whether c opens or closes a quotation, or stands before one.
func quotes(c rune) bool {
	return c != 0 && strings.ContainsRune("'`‘’“”«»<>[](){}:=…\\", c)
}

// lastOf returns the last character of a text that is no white space and no punctuation of a JSON string's end.
func lastOf(text string) rune {
	text = strings.TrimRight(text, " ")
	if escaped, ok := strings.CutSuffix(text, `\"`); ok {
		return lastRune(escaped + `\`)
	}
	return lastRune(text)
}

func lastRune(text string) rune {
	last := rune(0)
	for _, c := range text[max(0, len(text)-4):] {
		last = c
	}
	return last
}

// firstOf returns the first character of a text that is no white space.
func firstOf(text string) rune {
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "...") {
		return '…'
	}
	for _, c := range text {
		return c
	}
	return 0
}
