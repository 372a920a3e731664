package settings

import (
	"errors"
	"strings"
)

// ErrModel is returned for a text that is not requested=sent.
var ErrModel = errors.New("not requested=sent")

// Model says what an upstream calls a model. Requested may be "*", for all that
// no other one names.
type Model struct{ Requested, Sent string }

// UnmarshalText reads requested=sent, each of which has visible characters or
// spaces only and is not empty. Anything else is ErrModel.
func (m *Model) UnmarshalText(text []byte) error {
	requested, sent, _ := strings.Cut(string(text), "=")
	*m = Model{Requested: strings.TrimSpace(requested), Sent: strings.TrimSpace(sent)}
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if m.Requested == "" || m.Sent == "" || strings.ContainsFunc(m.Requested+m.Sent, control) {
		return ErrModel
	}
	return nil
}

// String returns requested=sent.
func (m Model) String() string { return m.Requested + "=" + m.Sent }
