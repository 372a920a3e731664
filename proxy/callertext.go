package proxy

import (
	"log/slog"

	"outrigger/internal/clip"
	"outrigger/proxy/pick"
)

// Bounds, in bytes, of text that callers and upstreams choose, where it becomes a key, a
// label or a field of the log. What is longer ends in a hash; see clip.Text.
const (
	// maxModel is for a model's name as a key. It is what is kept of one in a body.
	maxModel = pick.MaxModel
	// maxLabel is for a model's name as a label's value.
	maxLabel = 64
	// maxMethod is far above what any method has (IANA HTTP Method Registry: 17).
	maxMethod = 32
	maxPath   = 200
	// maxMessage is for an upstream's message, or a code or a type of its errors.
	maxMessage = 300
	// maxField is for all other fields of the log: ids, encodings, and Outrigger's own
	// messages, which may quote some.
	maxField = 1 << 10
)

// modelKey returns a model's name as a key.
func modelKey(model string) string { return clip.Text(model, maxModel) }

// labelText makes a model's name a valid label value.
func labelText(s string) string { return clip.Text(s, maxLabel) }

// field is a field of the log with text that is not Outrigger's alone.
func field(name, text string, most int) slog.Attr { return slog.String(name, clip.Text(text, most)) }
