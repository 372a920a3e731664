package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Entry is what is known of one HTTP request that reached the simulator.
type Entry struct {
	// ID counts the requests from 1, in the order of arrival.
	ID uint64 `json:"id"`
	// Time of arrival.
	Time time.Time `json:"time"`
	// Credential is Mask of the API key, "" when none was sent.
	Credential string `json:"credential,omitempty"`
	Method     string `json:"method"`
	// Path as sent, without the query.
	Path string `json:"path"`
	// Route is the bounded name of the endpoint ("chat.completions", "other").
	Route string `json:"route"`
	// Model, Stream: from the body; set when it was read.
	Model  string `json:"model,omitempty"`
	Stream bool   `json:"stream,omitempty"`
	// Key is the Idempotency-Key header, Request the x-sim-request header.
	Key     string `json:"idempotency_key,omitempty"`
	Request string `json:"request,omitempty"`
	// Body is the first 16 hex digits of the body's SHA-256, "" when it was not read to its end.
	Body string `json:"body,omitempty"`
	// Attempt is 1 for the first request of its identity (see Identity), 2 for the next.
	Attempt int `json:"attempt"`
	// Status sent; 0 while none was, or when the connection was cut before one.
	Status int `json:"status"`
	// Fault names what was done to the request on purpose: the kind of a fault
	// rule with its row, "limit RPM", "capacity", "account", "outage"; "" for none.
	Fault string `json:"fault,omitempty"`
	// Work reports that the request was carried out, whether or not anyone heard of it.
	Work bool `json:"work"`
	// Object is the id of what was made.
	Object string `json:"object,omitempty"`
	// Duration from arrival until the answer ended.
	Duration time.Duration `json:"duration_ns"`
	// Done is false while the request is being served.
	Done bool `json:"done"`
}

// Identity is what makes two HTTP requests the same client request: the
// x-sim-request header if sent, else the Idempotency-Key, else credential,
// method, path and body. The zero value is no identity.
type Identity struct {
	Request    string `json:"request,omitempty"`
	Key        string `json:"idempotency_key,omitempty"`
	Credential string `json:"credential,omitempty"`
	Method     string `json:"method,omitempty"`
	Path       string `json:"path,omitempty"`
	Body       string `json:"body,omitempty"`
}

// Identity returns the entry's identity, as far as it is known.
func (e *Entry) Identity() Identity {
	switch {
	case e.Request != "":
		return Identity{Request: e.Request}
	case e.Key != "":
		return Identity{Key: firstKey(e.Key), Credential: e.Credential}
	case e.Body != "":
		return Identity{Credential: e.Credential, Method: e.Method, Path: e.Path, Body: e.Body}
	default:
		return Identity{}
	}
}

// firstKey is the first of the keys that Outrigger makes for one call: it counts those that it
// makes anew after a whole answer, or-…-7-2 after or-…-7.
func firstKey(key string) string {
	parts := strings.Split(key, "-")
	if len(parts) != 4 || parts[0] != "or" {
		return key
	}
	return strings.Join(parts[:3], "-")
}

// Mask returns the first 8 hex digits of the SHA-256 of an API key: enough to
// tell test keys apart, and not the key.
func Mask(credential string) string {
	if credential == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(credential))
	return hex.EncodeToString(sum[:4])
}
