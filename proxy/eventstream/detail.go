package eventstream

// detailMax bounds what is kept of an error object, in bytes. OpenAI's longest
// known messages have some 500; those that repeat an invalid value are cut at the
// value by the provider.
const detailMax = 8 << 10

// detail keeps an event's error object apart: a response.failed repeats the whole
// request, instructions and tools (177 KB were seen), so the data that is kept may
// end before the error, or be no JSON without its end.
type detail struct {
	text  []byte
	inner bool // it stands in "response", not at the top
	on    bool // it is being read
	ended bool // its end has just been read
	over  bool // it is longer than detailMax
	depth int  // of the object it stands in
	from  int  // where it begins in the part being read
}

func (d *detail) reset() {
	d.text = d.text[:0]
	d.on, d.ended, d.over = false, false, false
}

// begin starts at i, in a container of that depth and place. A later object
// replaces an earlier one, as for a JSON decoder.
func (d *detail) begin(i, depth int, p place) {
	d.reset()
	d.on, d.from, d.depth, d.inner = true, i, depth, p == placeResponse
}

// add keeps what of the error object is in p.
func (d *detail) add(p []byte) {
	if !d.on {
		return
	}
	room := detailMax - len(d.text)
	part := p[d.from:]
	d.over = d.over || len(part) > room
	d.text = append(d.text, part[:min(len(part), room)]...)
	d.on, d.ended = !d.ended, false
}

// event returns a small event's data that holds the error object alone, or nil if
// it was not read to its end.
func (d *detail) event(kind []byte) []byte {
	if len(d.text) == 0 || d.on || d.over {
		return nil
	}
	open, end := `{"error":`, `}`
	if d.inner {
		open, end = `{"response":{"error":`, `}}`
	}
	data := append([]byte(open), d.text...)
	data = append(data, end...)
	if len(kind) > 0 {
		data = append(data[:len(data)-1], `,"type":"`...)
		data = append(append(data, kind...), `"}`...)
	}
	return data
}
