// Package endpoint names what a request addresses. From method, path and a few facts of
// the body it derives a bounded label, an effect and a stream dialect.
//
// The effect decides what may be sent twice, so the default is the careful one: a POST or
// PATCH that the table does not list counts as non-idempotent, and so does every method
// that is not known to be safe. The table is written by hand, from the OpenAI API
// description (openai/openai-openapi 2.3.0) and the resource files of openai-go 3.96. Path
// parameters never become part of a name, so there are as many names as rows, and they can
// be metric labels.
//
// Under a base path that is not listed, a POST is recognized by its last segments together
// with the shape of its body.
//
// Paths are compared as sent. A path with dot segments or escaped slashes is not cleaned
// first: it matches no row and counts as non-idempotent.
package endpoint

import (
	"net/http"
	"slices"
	"strings"
)

// Effect is what carrying a request out does at the upstream, and thereby
// whether it may be carried out twice.
type Effect uint8

// The effects, from the most to the least repeatable. The zero value is Read.
const (
	// Read changes nothing.
	Read Effect = iota
	// Compute costs money and creates nothing that would be missed.
	Compute
	// Replace sets or removes something: twice is the same as once.
	Replace
	// Create makes or appends something: twice would make two.
	Create
)

// String returns the effect in lower case, for logs.
func (e Effect) String() string {
	switch e {
	case Read:
		return "read"
	case Compute:
		return "compute"
	case Replace:
		return "replace"
	case Create:
		return "create"
	default:
		return "unknown"
	}
}

// Dialect is the event language that an endpoint speaks when it streams.
type Dialect uint8

// The dialects. The zero value is Unknown: such a stream ends as its upstream ends it.
const (
	Unknown        Dialect = iota
	Chat                   // chat.completion.chunk objects, then [DONE]
	Completions            // text_completion objects, then [DONE]
	Responses              // response.* events
	Messages               // Anthropic message_* events
	Images                 // image_generation.* and image_edit.* events
	Transcriptions         // transcript.text.* events
	Speech                 // speech.audio.* events
	Assistants             // thread.* events, then done
	Gemini                 // Google's GenerateContentResponse objects
)

// String returns the dialect in lower case, for logs.
func (d Dialect) String() string {
	switch d {
	case Unknown:
		return "unknown"
	case Chat:
		return "chat"
	case Completions:
		return "completions"
	case Responses:
		return "responses"
	case Messages:
		return "messages"
	case Images:
		return "images"
	case Transcriptions:
		return "transcriptions"
	case Speech:
		return "speech"
	case Assistants:
		return "assistants"
	case Gemini:
		return "gemini"
	default:
		return "unknown"
	}
}

// Facts are what the body says that changes an effect. The zero value is a body
// that says none of it, or no body.
type Facts struct {
	// Store is chat's "store": true; its default is false.
	Store bool
	// Background is Responses' "background": true: a job that outlives the call.
	Background bool
	// Conversation is a Responses "conversation": the turn is appended to it.
	Conversation bool
	// ActingTools is a hosted Responses tool that acts: mcp, computer, shell.
	ActingTools bool
	// Members are those that tell what the body is, where the path alone does not.
	Members Members
	// Unread says that the body could not be read: it may say any of these.
	Unread bool
}

// Endpoint is what a request addresses.
type Endpoint struct {
	// Name is a bounded label such as "chat.completions", "files" or "other".
	Name string
	// Effect says whether the request may be carried out twice.
	Effect Effect
	// Dialect is the language of its event stream, should it answer with one.
	Dialect Dialect
}

// other is the name of every path that the table does not list.
const other = "other"

// Of returns the endpoint that method and path address. Path is the path as
// sent, with or without a base such as /v1 (see bases), with or without a
// trailing slash; a query is ignored. Any string is a valid path. It does not
// allocate and is safe for concurrent use.
func Of(method, path string, f Facts) Endpoint {
	r := match(path)
	if method == http.MethodPost && (r == nil || r.family) {
		if m := methodOf(path); m != nil {
			r = m
		} else if g := guess(path, f.Members); g != nil {
			r = g
		}
	}
	e := Endpoint{Name: other, Effect: Create}
	if r != nil {
		e.Name, e.Dialect = r.name, r.dialect
	}
	if strings.HasSuffix(last(path), ":streamGenerateContent") {
		e.Dialect = Gemini // ai.google.dev/api/generate-content
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		e.Effect = Read
	case http.MethodPut, http.MethodDelete:
		e.Effect = Replace
	case http.MethodPost:
		e.Effect = posted(r, path, f)
	}
	return e
}

// Names returns every name that Of gives, in order and each once: the values of a metric label.
func Names() []string {
	names := []string{other}
	for _, r := range table {
		names = append(names, r.name)
	}
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// posted is the effect of a POST to row r, which is nil for a path that no row lists.
func posted(r *row, path string, f Facts) Effect {
	if r == nil || r.family {
		return verb(last(path))
	}
	if r.unless != nil && r.unless(f) || f.Unread && r.post == Compute {
		return Create
	}
	return r.post
}
