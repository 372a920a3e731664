package upstream

import (
	"encoding/json"

	"outrigger/proxy/settings"
	"outrigger/proxy/wire"
)

// anyModel stands for every model that is not named otherwise.
const anyModel = "*"

// models are the names that one upstream has for models, as they stand in a body.
type models map[string]modelName

// modelName is a model's name by itself and as the text of a JSON string.
type modelName struct{ Plain, Quoted string }

func newModels(list []settings.Model) models {
	if len(list) == 0 {
		return nil
	}
	ms := make(models, len(list))
	for _, m := range list {
		quoted, _ := json.Marshal(m.Sent)
		ms[wire.ModelKey(m.Requested)] = modelName{m.Sent, string(quoted[1 : len(quoted)-1])}
	}
	return ms
}

// Of returns the upstream's name for a model, and whether it has one of its own.
func (ms models) Of(requested string) (modelName, bool) {
	if requested == "" || ms == nil {
		return modelName{}, false
	}
	name, ok := ms[requested]
	if !ok {
		name, ok = ms[anyModel]
	}
	return name, ok && name.Plain != requested
}
