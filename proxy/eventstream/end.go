package eventstream

import (
	"bytes"

	"outrigger/policy/endpoint"
)

// End tells w that the stream has ended, and notes an event that lacks no more than
// its blank line: its data is a whole JSON object, or [DONE], or as much of [DONE]
// as can be nothing else. It returns the bytes that the event lacks, nil if there is
// no such event.
//
// Write them to the caller: openai-python, openai-go and openai-node up to 7.5
// drop an event without its blank line, and of an error event that would leave a
// stream that ended as if all were well.
func (w *Watcher) End() []byte {
	missing := ""
	switch n := w.halfDone(); {
	case n > 0:
		missing = string(done[min(n, len(done)):])
		w.data.text = append(w.data.text, missing...)
	case !w.data.has || !w.scan.whole():
		return nil
	}
	missing += w.separator()
	w.eventEnd(w.offset)
	w.line = line{mark: markDone}
	return []byte(missing)
}

// halfDone returns how much of [DONE] the data is, 0 if it is something else. One
// byte could be a JSON array, but not in an event named done or behind a whole answer.
func (w *Watcher) halfDone() int {
	text := w.data.text
	if bytes.HasPrefix(text, done) {
		return len(done)
	}
	least := 2
	if w.Done() || string(w.data.name.bytes()) == "done" {
		least = 1
	}
	if w.dialect == endpoint.Unknown || w.line.part != inData || len(text) < least || !bytes.HasPrefix(done, text) {
		return 0
	}
	return len(text)
}

// Separator returns the bytes that end the line and the event at hand, so that
// whatever is written next is an event of its own: none, or one LF or two, and the
// rest of a character if the cut is inside one.
// Half an event that is ended so is broken JSON to an SDK; Interruption does better.
func (w *Watcher) Separator() []byte { return []byte(w.separator()) }

func (w *Watcher) separator() string {
	lineEnd := w.lineBreak()
	if w.data.any() || w.line.part == inField && string(w.line.field[:w.line.fieldN]) == "data" {
		return lineEnd + "\n"
	}
	return lineEnd
}

// lineBreak returns what ends the line at hand, in a whole character: openai-python
// decodes comments too. After a CR it is a LF as well: the two are one line end, and
// openai-go takes a lone CR for none.
func (w *Watcher) lineBreak() string {
	switch {
	case w.line.begun():
		return restOfRune(w.tail[:w.tailN]) + "\n"
	case w.line.afterCR:
		return "\n"
	default:
		return ""
	}
}
