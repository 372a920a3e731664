package reply

import (
	"encoding/json"
	"net/http"
)

// Answer is what is to be sent, as a value: faults can then drop it or spoil it.
type Answer struct {
	Status      int
	ContentType string
	Header      http.Header // beyond the usual ones; may be nil
	Body        []byte
	// events, if not nil, is sent instead of body. It calls emit for each event in
	// turn, and stops when that returns false.
	Events func(emit func(Event) bool)
	// tokens is the length of the answer, for its delay.
	Tokens int
	// object is the id of what was made.
	Object string
}

// Event is one event of a stream.
type Event struct {
	Name string // "" sends no event line
	Data []byte // read before emit returns; may be reused then
	// tokens is how many this event brings, for its delay.
	Tokens int
}

// JSON is an answer whose body is v. It has status 500 if v cannot be encoded.
func JSON(status int, v any) Answer {
	body, err := json.Marshal(v)
	if err != nil {
		return Answer{Status: http.StatusInternalServerError, ContentType: "text/plain", Body: []byte(err.Error())}
	}
	return Answer{Status: status, ContentType: "application/json", Body: body}
}

// Whole renders the body of an answer, a stream without its delays.
func (a Answer) Whole() []byte {
	if a.Events == nil {
		return a.Body
	}
	var out []byte
	a.Events(func(e Event) bool {
		out = AppendEvent(out, e)
		return true
	})
	return out
}

// AppendEvent appends the event as it is sent.
func AppendEvent(b []byte, e Event) []byte {
	if e.Name != "" {
		b = append(b, "event: "...)
		b = append(b, e.Name...)
		b = append(b, '\n')
	}
	b = append(b, "data: "...)
	b = append(b, e.Data...)
	return append(b, "\n\n"...)
}

func encodeEvent(name string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil // maps of strings always encode
	}
	return AppendEvent(nil, Event{Name: name, Data: data})
}
