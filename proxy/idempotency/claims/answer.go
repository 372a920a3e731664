package claims

import (
	"net/http"
	"time"
)

// Answer is a complete answer, as it is replayed. Neither it nor what it refers to may be
// changed once a store has received or returned it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Stored is when Finish stored the answer. Begin and Wait set it.
	Stored time.Time
}

// Size returns what the answer counts for, in bytes: its body, and its header as it would
// be sent.
func (a *Answer) Size() int64 {
	n := int64(len(a.Body))
	for name, values := range a.Header {
		for _, value := range values {
			n += int64(len(name) + len(value) + len(": \r\n"))
		}
	}
	return n
}
