package proxy

import (
	"encoding/json"
	"errors"
	"strings"
)

// ErrModel is returned for a text that is not requested=sent.
var ErrModel = errors.New("not requested=sent")

// anyModel stands for every model that is not named otherwise.
const anyModel = "*"

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

// models are the names that one upstream has for models, as they stand in a body.
type models map[string]modelName

// modelName is a model's name by itself and as the text of a JSON string.
type modelName struct{ plain, quoted string }

func newModels(list []Model) models {
	if len(list) == 0 {
		return nil
	}
	ms := make(models, len(list))
	for _, m := range list {
		quoted, _ := json.Marshal(m.Sent)
		ms[modelKey(m.Requested)] = modelName{m.Sent, string(quoted[1 : len(quoted)-1])}
	}
	return ms
}

// of returns the upstream's name for a model, and whether it has one of its own.
func (ms models) of(requested string) (modelName, bool) {
	if requested == "" || ms == nil {
		return modelName{}, false
	}
	name, ok := ms[requested]
	if !ok {
		name, ok = ms[anyModel]
	}
	return name, ok && name.plain != requested
}
