package sim

import (
	"net/http"
	"slices"
)

// usualModels are listed when the configuration names none.
var usualModels = []string{
	"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5.1", "o4-mini", "gpt-3.5-turbo-instruct", "text-embedding-3-small",
	"text-embedding-3-large", "gpt-image-1", "tts-1", "whisper-1", "gpt-4o-transcribe", "omni-moderation-latest",
}

// modelCreated is the time that all models give: 2024-01-01.
const modelCreated = 1704067200

func (c *call) models() []string {
	if len(c.sim.cfg.Models) > 0 {
		return c.sim.cfg.Models
	}
	return usualModels
}

func modelObject(id string) object {
	return object{"id", id, "object", "model", "created", modelCreated, "owned_by", "simulator"}
}

// listModels is GET models.
func (c *call) listModels() (work, *apiError) {
	return func() answer {
		data := []any{}
		for _, id := range c.models() {
			data = append(data, modelObject(id))
		}
		return jsonAnswer(http.StatusOK, object{"object", "list", "data", data})
	}, nil
}

// getModel is GET models/{id}.
func (c *call) getModel() (work, *apiError) {
	id := c.args[0]
	if !slices.Contains(c.models(), id) {
		return nil, errModel(id)
	}
	return func() answer { return jsonAnswer(http.StatusOK, modelObject(id)) }, nil
}
