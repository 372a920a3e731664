package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// ErrPair is returned for a text that is not name=value. It does not quote the
// text, which may hold a secret.
var ErrPair = errors.New("not name=value")

// UnmarshalText reads name=value. The name ends at the first equals sign and may
// not be empty; white space around name and value is not part of them (RFC 9110,
// section 5.5, for header fields). Anything else is ErrPair.
func (p *Pair) UnmarshalText(text []byte) error {
	name, value, found := strings.Cut(string(text), "=")
	name = strings.TrimSpace(name)
	if !found || name == "" {
		return ErrPair
	}
	*p = Pair{Name: name, Value: strings.TrimSpace(value)}
	return nil
}

// String returns the name with its value redacted: extra headers and query
// parameters carry credentials as often as not.
func (p Pair) String() string { return p.Name + "=[redacted]" }

// Format covers every fmt verb, %#v included.
func (p Pair) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(p.String())) }

// MarshalText covers encoding/json and other text encoders. It is not the inverse
// of UnmarshalText, on purpose.
func (p Pair) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// LogValue covers slog attributes.
func (p Pair) LogValue() slog.Value { return slog.StringValue(p.String()) }
