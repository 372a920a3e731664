// Package values holds the value types that configuration, policy and proxy share: a secret
// that cannot be printed, and a size in bytes.
package values

import (
	"fmt"
	"log/slog"
	"unique"
)

// redacted stands for a secret wherever one would be printed.
const redacted = "[redacted]"

// Secret is a string that no formatter, encoder or logger prints. Only Reveal shows it.
// The zero value is no secret at all and prints as the empty string. Secrets are
// equal (==) when their texts are, and safe for concurrent use.
//
// A LogValue method alone would not do: slog's JSON handler calls it only for
// the attribute itself, and encodes a Secret inside a struct through
// encoding/json. So every way out is closed here, one method each. Nor would
// the methods do with a plain string inside: fmt cannot call them for a Secret
// in an unexported field and prints its bare content. So the content is a
// handle, of which fmt prints an address.
type Secret struct{ plain unique.Handle[string] }

// NewSecret wraps plain.
func NewSecret(plain string) Secret {
	if plain == "" {
		return Secret{}
	}
	return Secret{plain: unique.Make(plain)}
}

// Reveal returns the secret itself, for the one place that sends or compares it.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.plain.Value()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// String returns "[redacted]", or "" for the zero value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format covers every fmt verb, %#v and %x included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText covers encoding/json, maps keyed by secrets, and other text encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue covers slog attributes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText reads the secret from configuration.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
