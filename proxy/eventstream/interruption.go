package eventstream

import (
	"encoding/json"
	"net/http"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
)

// reason is an error object in OpenAI's shape; all four members are required there
// (openai-openapi 2.3.0, Error), and Anthropic's readers ignore the two they lack.
type reason struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// status is an error object in the shape of Google's APIs (google.rpc.Status). Its clients
// raise for a code from 400 to 599.
type status struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Status  string     `json:"status"`
	Details []detailOf `json:"details"`
}

type detailOf struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"`
}

// payload returns an error event's data in dialect d, a JSON object, or nil if the
// dialect is unknown.
//
// Each has the shape that every SDK of its dialect turns into its error type. In
// Responses half of them read the documented flat members, and half the nested
// object that api.openai.com sends: openai-python, openai-node 5.23 to 7.5 and
// openai-go pass the flat form on as if it were content, openai-dotnet shows the
// nested form without its fields. So it has both. Assistants too, where the
// documented data of an error event is the bare error object.
//
// Its sequence_number is that of the last event: every SDK's type requires one, and an
// app that asks for the rest with starting_after must not skip the event that the next
// number belongs to (openai/openai-python#2828).
func payload(d endpoint.Dialect, code, message string, sequence int64) []byte {
	r := reason{Message: message, Type: "api_connection_error", Code: code}
	switch d {
	case endpoint.Unknown:
		return nil
	case endpoint.Responses:
		return object(struct {
			Type     string  `json:"type"`
			Code     string  `json:"code"`
			Message  string  `json:"message"`
			Param    *string `json:"param"`
			Sequence int64   `json:"sequence_number"`
			Error    reason  `json:"error"`
		}{"error", code, message, nil, max(sequence, 0), r})
	case endpoint.Messages:
		r.Type = "api_error" // Anthropic's own for what failed on the way
		return object(struct {
			Type  string `json:"type"`
			Error reason `json:"error"`
		}{"error", r})
	case endpoint.Assistants:
		return object(struct {
			reason
			Error reason `json:"error"`
		}{r, r})
	case endpoint.Gemini:
		return object(struct {
			Error status `json:"error"`
		}{status{http.StatusBadGateway, message, "UNAVAILABLE", []detailOf{{"type.googleapis.com/google.rpc.ErrorInfo", code}}}})
	default:
		return object(struct {
			Error reason `json:"error"`
		}{r})
	}
}

// Failure returns an error's JSON in the shape of w's dialect, or OpenAI's, for an answer
// with a status of its own.
func (w *Watcher) Failure(code, message string) []byte {
	d := w.dialect
	if d == endpoint.Unknown || d == endpoint.Responses {
		d = endpoint.Chat
	}
	return payload(d, code, message, -1)
}

// object encodes strings and numbers, which cannot fail.
func object(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// Interruption returns the error event that tells, in dialect d, that a stream was
// broken off: for example code "stream_interrupted". Sequence is the number of the last
// event before it, -1 if there was none; only Responses has them. It begins at a line's start, ends with a blank line, and is nil for
// an unknown dialect. Only dialects with named events get an event line: readers of
// the others ignore named ones (openai-node up to 4.20).
//
// Google tells an error between the events, as JSON without "data:", and only there do
// google-genai for Go and JavaScript look for one. To other readers it is a field
// that they ignore, and the broken connection behind it tells them.
func Interruption(d endpoint.Dialect, code, message string, sequence int64) []byte {
	data := payload(d, code, message, sequence)
	if data == nil {
		return nil
	}
	return append(appendFields(nil, d, data), '\n')
}

// appendFields appends the lines of an error event, without its blank line.
func appendFields(b []byte, d endpoint.Dialect, data []byte) []byte {
	if named(d) {
		b = append(b, "event: error\n"...)
	}
	if d != endpoint.Gemini {
		b = append(b, "data: "...)
	}
	b = append(b, data...)
	return append(b, '\n')
}

// Interruption returns what to write where the stream was cut, for the caller to
// see an error event and nothing else that is new: the function's event, and before it
// whatever the bytes already passed on need.
//
//   - Between events: nothing.
//   - In a comment, or in an event that has no data yet: the end of the line. The
//     error event becomes the rest of the half event, so that none is left without data.
//   - In an event whose data is whole: its end. It is dispatched as it should be.
//   - In an object: its end, with the error's members in it, and a last event line,
//     so that the half event is an error event itself. SDKs stop there; for
//     those that read "choices" first the plain event follows.
//   - In data that is no JSON object: its end. There is no better way.
//
// It is nil for an unknown dialect. Call End first, and write what it returns.
func (w *Watcher) Interruption(code, message string) []byte {
	number := w.Sequence() // the half event's own number is not used up
	data := payload(w.dialect, code, message, number)
	if data == nil {
		return nil
	}
	switch {
	case w.data.has && w.scan.whole():
		return append(w.Separator(), Interruption(w.dialect, code, message, number)...)
	case !w.data.has || w.scan.json.State() == jsonscan.Start:
		return append([]byte(w.lineBreak()), Interruption(w.dialect, code, message, number)...)
	}
	repaired, ok := w.repair(data)
	if !ok {
		return append([]byte(w.separator()), Interruption(w.dialect, code, message, number)...)
	}
	return append(repaired, Interruption(w.dialect, code, message, number)...)
}
