package stream

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"outrigger/proxy/observe"
)

// How a resume went, as logs and metrics name it.
const (
	resumeDone        = "resumed"     // the stream went on
	resumeRefused     = "refused"     // the upstream answered with something else
	resumeUnreachable = "unreachable" // there was no answer, or breaker or limiter did not let it pass
	resumeCut         = "cut"         // nothing new came before the next cut
	resumeTooLate     = "too_late"    // it was not tried: the window was over
)

// note counts one resume, and writes its log line.
func (r *resuming) note(result string, status int) {
	level := slog.LevelInfo
	if result != resumeDone {
		level = slog.LevelWarn
	}
	now, took := time.Now(), time.Duration(0)
	start := now
	if !r.began.IsZero() {
		start, took = r.began, now.Sub(r.began)
	}
	r.x.Recorder.Span(r.x.ID, observe.Span{Kind: observe.SpanResume, Lane: r.up.Config.Name, Reason: result, Start: start, End: now})
	r.x.Recorder.Notice(observe.Notice{Level: level, Message: "stream resume", Fields: []slog.Attr{
		slog.String("id", r.x.ID), slog.String("upstream", r.up.Config.Name), slog.String("result", result),
		slog.Int("status", status), slog.Int64("after", r.last), observe.Milliseconds("took_ms", took),
	}})
}

// tell keeps why the stream could not be resumed, for the message to its caller.
func (r *resuming) tell(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = why
}

// tooLate notes that the stream is not resumed any more.
func (r *resuming) tooLate() {
	if r.fails > 0 {
		return // what was told of that stands
	}
	r.tell(", and could not be resumed any more")
	r.note(resumeTooLate, 0)
}

// Count implements resumed.
func (r *resuming) Count() int64 { return r.resumes.Load() }

// again is the advice about a cut that nothing tried to mend.
const again = ". What came before is incomplete; send the request again."

// Advice implements resumed.
func (r *resuming) Advice() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == "" {
		return again
	}
	return r.told + ". What came before is incomplete. The response may still be made: get it by its id before sending the request again."
}

// eventData returns the data of an event.
func eventData(event []byte) []byte {
	var data []byte
	for line := range bytes.Lines(event) {
		if value, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:")); ok {
			data = append(append(data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		}
	}
	return data
}

// errorText says what an error event says.
func (x *Serving) errorText(event []byte) string {
	var said struct {
		Message string
		Error   struct{ Message string }
	}
	_ = json.Unmarshal(eventData(event), &said)
	if said.Message == "" {
		said.Message = said.Error.Message
	}
	if said.Message == "" {
		return "the upstream told an error instead of the rest"
	}
	return "the upstream said " + strconv.Quote(x.Mask(said.Message))
}
