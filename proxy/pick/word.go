package pick

import "strconv"

// within returns the number that w stands for if it is whole and from 1 to most,
// else 0. Some callers write 1e3 or 1000.0.
func within(w *word, most int) int {
	x, err := strconv.ParseFloat(string(w.bytes()), 64)
	if w.long || err != nil || x < 1 || x > float64(most) || x != float64(int(x)) {
		return 0
	}
	return int(x)
}

// word keeps the first 24 bytes of a short word: a key, a number, a type. No key or
// type that matters is as long.
type word struct {
	text [24]byte
	n    int
	long bool
}

func (w *word) begin() { w.n, w.long = 0, false }

func (w *word) add(p []byte) {
	n := copy(w.text[w.n:], p)
	w.n += n
	w.long = w.long || n < len(p)
}

func (w *word) addByte(c byte) {
	if w.n == len(w.text) {
		w.long = true
		return
	}
	w.text[w.n] = c
	w.n++
}

// bytes returns the word, or its beginning.
func (w *word) bytes() []byte { return w.text[:w.n] }
