package eventstream

import "outrigger/proxy/usage"

// Bounds of what is noted of one event. The longest known event type has 47 bytes
// (response.code_interpreter_call_code.interpreting), the longest member 27.
const (
	tokenMax   = 64
	choicesMax = 128 // OpenAI's limit of n; a choice beyond it ends with [DONE] only
)

// token is the beginning of a string or number, whole if it is not over.
type token struct {
	text [tokenMax]byte
	n    int
	over bool
}

func (t *token) reset() { t.n, t.over = 0, false }

func (t *token) add(b []byte) {
	n := copy(t.text[t.n:], b)
	t.n += n
	t.over = t.over || n < len(b)
}

// bytes returns the token, or nothing if it is longer than can be kept.
func (t *token) bytes() []byte {
	if t.over {
		return nil
	}
	return t.text[:t.n]
}

// count returns the token as a whole number, and whether it is one: a negative
// number, a fraction and one with an exponent are not.
func (t *token) count() (int64, bool) {
	n, b := int64(0), t.bytes()
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// truthy tells whether a number or literal is what Python and JavaScript take for
// true: their SDKs raise an error for a truthy "error" and ignore another one.
func (t *token) truthy() bool {
	switch b := t.bytes(); string(b) {
	case "null", "false":
		return false
	default:
		for _, c := range b {
			if c >= '1' && c <= '9' || c == 't' {
				return true
			}
		}
		return t.over
	}
}

// choices is a set of choice indexes.
type choices [choicesMax / 64]uint64

func (c *choices) add(i int64) { c[i/64] |= 1 << (i % 64) }

func (c *choices) merge(o *choices) {
	for i := range c {
		c[i] |= o[i]
	}
}

// drop takes out of c what is in o.
func (c *choices) drop(o *choices) {
	for i := range c {
		c[i] &^= o[i]
	}
}

// tokens is a number that may be absent.
type tokens struct {
	n    int64
	seen bool
}

// facts is what one event's data says. The zero value is data that says nothing.
type facts struct {
	kind     token // "type"
	failed   bool  // a truthy "error"
	plain    bool  // and it stands where clients look for it
	aborted  bool  // a reason to end that names a failure
	stopped  bool  // a stop_reason, or a prompt that was blocked
	lost     bool  // the status of a response that failed
	sequence int64 // "sequence_number" + 1, 0 if absent
	usage    usage.Counts
	seen     choices // indexes present
	finished choices // indexes with a finish_reason
	beyond   bool    // an index that the sets cannot hold
	listed   bool    // there is a list of choices
	filled   bool    // there is any member at all
	content
}
