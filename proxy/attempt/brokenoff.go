package attempt

import (
	"strconv"

	"outrigger/proxy/eventstream"
)

// CodeInterrupted is the code of the error events that Outrigger adds to a stream.
const CodeInterrupted = "stream_interrupted"

// BrokenOff tells a caller by what the upstream broke its stream off.
func BrokenOff(mask func(string) string, w *eventstream.Watcher) string {
	failure, _ := w.Error()
	text := string(failure.Data)
	if reason := w.Aborted(); reason != "" { // the event's other members are the answer's
		text = "its answer ended with the reason " + strconv.Quote(reason)
	}
	return "The upstream broke the stream off with an error: " + mask(text)
}
