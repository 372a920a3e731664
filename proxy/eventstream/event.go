package eventstream

import (
	"bytes"

	"outrigger/policy/endpoint"
)

// Event is an event that was kept.
type Event struct {
	// Name is the value of its event line, empty if it had none.
	Name string
	// Data is its data, at most 64 KiB. Of an error event that was larger only
	// "type" and the error object are left, so that it is whole JSON all the same.
	Data []byte
	// End is the offset in the stream of the first byte behind the event. After a
	// CRLF it lies between CR and LF.
	End int64
	// Cut tells that Data is not all of the event's data.
	Cut bool
}

// done is the data that ends a stream of OpenAI's; what follows it on the line is
// ignored by SDKs (openai-python _streaming.py: startswith).
var done = []byte("[DONE]")

// eventEnd ends the event at hand, at an offset in the stream.
func (w *Watcher) eventEnd(offset int64) {
	if w.data.any() {
		w.dispatch(offset)
		w.data.reset()
		w.scan.reset()
	}
}

// dispatch notes an event that is whole.
func (w *Watcher) dispatch(offset int64) {
	if !w.data.has && string(w.data.name.bytes()) != "error" {
		return
	}
	f := &w.scan.facts
	if w.scan.state != whole {
		f = &facts{} // it is no JSON, and no SDK makes anything of its parts
	}
	k := kindOf(w.dialect, w.data.name.bytes()) | kindOf(w.dialect, f.kind.bytes())
	if f.failed {
		k |= kindError
	}
	if bytes.HasPrefix(w.data.text, done) {
		k |= kindEnd
		if w.dialect != endpoint.Unknown {
			k |= kindLast
		}
	}
	open := !w.Done()
	w.total.add(f, k)
	if k&kindError != 0 && !w.hasFailure {
		w.hasFailure, w.unseen = true, open && !f.plain && looksAtTheTop(w.dialect)
		w.keep(&w.failure, offset)
	}
	if !w.hasFirst && (k&kindError != 0 || k&kindEarly == 0 && w.data.size > 0) {
		w.keep(&w.first, offset)
		w.hasFirst = true
		w.data.shrink()
	}
}

// keep copies the event at hand to e.
func (w *Watcher) keep(e *Event, offset int64) {
	e.Name, e.End = string(w.data.name.bytes()), offset
	e.Data = append(e.Data[:0], w.data.text...)
	e.Cut = w.data.size > len(w.data.text)
	if !e.Cut {
		return
	}
	if small := w.scan.detail.event(w.scan.kind.bytes()); small != nil {
		e.Data = small
	}
}

// add notes what an event says.
func (t *total) add(f *facts, k kind) {
	t.events++
	if k&kindEnd != 0 {
		t.end = true
		t.ends++
	}
	t.last = t.last || k&kindLast != 0
	if f.sequence > 0 {
		t.sequence = f.sequence
	}
	if f.prompt.seen {
		t.prompt = f.prompt.n + f.cached
	}
	if f.completion.seen {
		t.completion = f.completion.n
	}
	t.seen.merge(&f.seen)
	t.finished.merge(&f.finished)
	t.beyond = t.beyond || f.beyond
}
