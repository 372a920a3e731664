package api

import (
	"net/http"
	"slices"

	"outrigger/internal/sim/reply"
)

// usualModels are listed when the configuration names none.
var usualModels = []string{
	"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5.1", "o4-mini", "gpt-3.5-turbo-instruct", "text-embedding-3-small",
	"text-embedding-3-large", "gpt-image-1", "tts-1", "whisper-1", "gpt-4o-transcribe", "omni-moderation-latest",
}

// modelCreated is the time that all models give: 2024-01-01.
const modelCreated = 1704067200

func (c *Request) models() []string {
	if len(c.api.cfg.Models) > 0 {
		return c.api.cfg.Models
	}
	return usualModels
}

func modelObject(id string) reply.Object {
	return reply.Object{"id", id, "object", "model", "created", modelCreated, "owned_by", "simulator"}
}

// listModels is GET models.
func (c *Request) listModels() (Work, *reply.Error) {
	return func() reply.Answer {
		data := []any{}
		for _, id := range c.models() {
			data = append(data, modelObject(id))
		}
		return reply.JSON(http.StatusOK, reply.Object{"object", "list", "data", data})
	}, nil
}

// getModel is GET models/{id}.
func (c *Request) getModel() (Work, *reply.Error) {
	id := c.args[0]
	if !slices.Contains(c.models(), id) {
		return nil, errModel(id)
	}
	return func() reply.Answer { return reply.JSON(http.StatusOK, modelObject(id)) }, nil
}
