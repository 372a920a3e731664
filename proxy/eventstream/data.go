package eventstream

// data is the event at hand.
type data struct {
	name token
	has  bool // it has data, maybe empty
	text []byte
	size int // of all data, in bytes
}

// add keeps the beginning of the data, up to limit bytes.
func (d *data) add(b []byte, limit int) {
	d.size += len(b)
	if room := limit - len(d.text); room > 0 {
		d.text = append(d.text, b[:min(len(b), room)]...)
	}
}

// any tells whether the event has a field.
func (d *data) any() bool { return d.has || d.name.n > 0 }

func (d *data) reset() {
	d.name.reset()
	d.has, d.text, d.size = false, d.text[:0], 0
}

// shrink gives back a buffer that is larger than a later event may use.
func (d *data) shrink() { d.text = reuse(d.text) }

// room returns how much of an event's data is kept.
func (w *Watcher) room() int {
	if w.hasFirst {
		return laterMax
	}
	return firstMax
}
