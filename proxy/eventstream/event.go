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
	if !w.scan.whole() {
		f = &facts{} // it is no JSON, and no SDK makes anything of its parts
	}
	k := kindOf(w.dialect, w.data.name.bytes()) | kindOf(w.dialect, f.kind.bytes()) | kindIn(w.dialect, f)
	if byChoice(w.dialect) && w.data.name.n == 0 && w.scan.whole() && f.empty() {
		k |= kindEarly
	}
	if k&kindEnd != 0 && f.lost {
		k |= kindError
	}
	isDone := bytes.HasPrefix(w.data.text, done)
	if isDone {
		k |= kindEnd
		if w.dialect != endpoint.Unknown {
			k |= kindLast
		}
	}
	open := !w.Done()
	if w.total.add(f, k) || k&kindError != 0 || !byChoice(w.dialect) && k&kindEarly == 0 {
		w.total.told++
	}
	if k&kindEnd != 0 && w.dialect == endpoint.Responses && !isDone {
		w.broke = false // the response's own end tells how it ended
	}
	if k&kindError != 0 && !w.hasFailure {
		w.hasFailure, w.broke, w.aborted = true, open && k&kindEnd == 0, ""
		if f.aborted && !f.failed {
			w.aborted = string(w.scan.why.bytes())
		}
		w.unseen = w.broke && (w.dialect == endpoint.Gemini || !f.plain && (w.aborted != "" || looksAtTheTop(w.dialect)))
		w.keep(&w.failure, offset)
	}
	if !w.hasFirst && (k&(kindError|kindEnd) != 0 || k&kindEarly == 0 && w.data.size > 0) {
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

// add notes what an event says, and returns whether that is anything new.
func (t *total) add(f *facts, k kind) bool {
	before := *t
	t.events++
	if k&kindEnd != 0 {
		t.end = true
		t.ends++
	}
	t.last = t.last || k&kindLast != 0
	if f.sequence > 0 {
		t.sequence = f.sequence
	}
	t.usage.Merge(&f.usage)
	t.beyond = t.beyond || f.beyond
	t.answer, t.stopped = t.answer || f.answer, (t.stopped || f.stopped) && k&kindSpeaks == 0
	t.finish(f)
	return f.spoken != choices{} || f.extra || t.finished != before.finished || t.stopped != before.stopped ||
		t.end != before.end || t.ends != before.ends || t.usage != before.usage
}

// finish notes which choices have ended. Content takes an end back: gateways put one on
// each chunk of a thought (open-webui/open-webui#16377), or on the first, empty one
// (open-webui/open-webui#23921). One that comes with content right behind another such end
// is one of those, and tells nothing (BerriAI/litellm#2195).
func (t *total) finish(f *facts) {
	t.seen.merge(&f.seen)
	again := t.claimed
	for i := range again {
		again[i] &= f.spoken[i] & f.finished[i]
	}
	for _, set := range [...]*choices{&t.claimed, &t.finished} {
		set.drop(&f.spoken)
		set.merge(&f.finished)
	}
	t.finished.drop(&again)
}
