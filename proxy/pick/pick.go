package pick

import (
	"io"
	"mime"
	"strings"
	"sync"
)

// Picker picks facts out of one body. Make it with New; it is for one goroutine.
type Picker struct {
	kind kind
	json object
	form *form
	copy io.Writer // nil unless the body is copied as it is; see Copy
}

// kind is the family of content types that a Picker reads.
type kind uint8

const (
	kindUnsaid kind = iota // neither of the others by its label
	kindJSON
	kindForm
)

// New returns a Picker for a body with this Content-Type, as sent. It reads
// application/json, any +json type and multipart/form-data; a body without a
// Content-Type is examined as JSON (RFC 9110, section 8.3, allows to examine it, and
// llama.cpp does). Under any other label (curl's is application/x-www-form-urlencoded,
// fetch's text/plain) it has facts only if it is one whole JSON object.
func New(contentType string) *Picker {
	p := pickers.Get().(*Picker)
	*p = Picker{json: newObject()}
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	switch {
	case media == "", strings.EqualFold(media, "application/json"), hasSuffixFold(media, "+json"):
		p.kind = kindJSON
	case strings.EqualFold(media, "multipart/form-data"):
		_, params, err := mime.ParseMediaType(contentType)
		if err == nil && params["boundary"] != "" {
			p.kind, p.form = kindForm, newForm(params["boundary"])
		}
	case hasSuffixFold(media, "jsonl"), hasSuffixFold(media, "ndjson"), hasSuffixFold(media, "jsonlines"):
		p.json.not = true // a file of one line would look like a request
	}
	return p
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// pickers are for reuse: one is over 1 KB.
var pickers = sync.Pool{New: func() any { return new(Picker) }}

// Release gives p back, which is not to be used any more.
func (p *Picker) Release() { pickers.Put(p) }

// Write takes the next bytes of the body, in pieces of any size. It does not
// allocate, keeps no reference to b, and always returns len(b) and nil.
func (p *Picker) Write(b []byte) (int, error) {
	switch p.kind {
	case kindJSON:
		p.json.write(b)
	case kindForm:
		p.form.write(b)
	case kindUnsaid:
		p.json.write(b)
	}
	if p.copy != nil {
		_, _ = p.copy.Write(b)
	}
	return len(b), nil
}

// Facts returns what was picked so far.
func (p *Picker) Facts() Facts {
	switch p.kind {
	case kindJSON:
		return p.json.facts()
	case kindForm:
		return p.form.facts()
	default:
		if f := p.json.facts(); f.Valid {
			return f
		}
		return Facts{}
	}
}

// Lost reports whether nothing more is to be picked: the body is not what it was read as.
func (p *Picker) Lost() bool {
	if p.kind == kindForm {
		return p.form.state == malformed
	}
	return p.json.not
}
