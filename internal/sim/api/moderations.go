package api

import (
	"cmp"
	"encoding/json"
	"net/http"

	"outrigger/internal/sim/reply"
)

// categories are those of omni-moderation.
var categories = []string{
	"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
	"self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
}

// moderations is POST moderations; nothing is ever flagged.
func (c *Request) moderations() (Work, *reply.Error) {
	var q struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	inputs := inputsOf(q.Input)
	if len(inputs) == 0 {
		return nil, reply.Missing("input")
	}
	c.Model = Clip(cmp.Or(q.Model, "omni-moderation-latest"))
	c.charge(q.Input, 0, 1)
	return func() reply.Answer {
		flags, scores, applied := map[string]bool{}, map[string]float64{}, map[string][]string{}
		for _, name := range categories {
			flags[name], scores[name], applied[name] = false, 1e-6, []string{"text"}
		}
		results := make([]any, 0, len(inputs))
		for range inputs {
			results = append(results, reply.Object{
				"flagged", false, "categories", flags, "category_scores", scores, "category_applied_input_types", applied,
			})
		}
		return reply.JSON(http.StatusOK, reply.Object{"id", c.api.ids.Next("modr-"), "model", c.Model, "results", results})
	}, nil
}
