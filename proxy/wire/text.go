package wire

import (
	"log/slog"

	"outrigger/internal/clip"
	"outrigger/proxy/pick"
)

// Bounds, in bytes, of text that callers and upstreams choose, where it becomes a key, a
// label or a field of the log. What is longer ends in a hash; see clip.Text.
const (
	// MaxModel is for a model's name as a key. It is what is kept of one in a body.
	MaxModel = pick.MaxModel
	// maxLabel is for a model's name as a label's value.
	maxLabel = 64
	// MaxMethod is far above what any method has (IANA HTTP Method Registry: 17).
	MaxMethod = 32
	MaxPath   = 200
	// MaxMessage is for an upstream's message, or a code or a type of its errors.
	MaxMessage = 300
	// MaxField is for all other fields of the log: ids, encodings, and Outrigger's own
	// messages, which may quote some.
	MaxField = 1 << 10
)

// ModelKey returns a model's name as a key.
func ModelKey(model string) string { return clip.Text(model, MaxModel) }

// LabelText makes a model's name a valid label value.
func LabelText(s string) string { return clip.Text(s, maxLabel) }

// Field is a field of the log with text that is not Outrigger's alone.
func Field(name, text string, most int) slog.Attr { return slog.String(name, clip.Text(text, most)) }
