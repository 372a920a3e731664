package sticky

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// TestEveryEndpointIsSorted holds the kinds to the table of endpoints: a new one
// has to be thought about.
func TestEveryEndpointIsSorted(t *testing.T) {
	nothing := []string{
		"audio", "chat", "completions", "content_provenance_checks", "decisions", "embeddings", "fine_tuning.alpha.graders",
		"images", "messages", "models", "moderations", "other", "realtime", "rerank", "responses.compact",
		"responses.input_tokens", "search",
		// Google's own methods: their objects are named by whole paths, which are not kept apart.
		"asyncBatchEmbedContent", "batchEmbedContents", "batchGenerateContent", "computeTokens", "countTokens", "embedContent",
		"generateAnswer", "generateContent", "predict", "predictLongRunning", "rawPredict", "serverStreamingPredict",
		"streamGenerateContent", "streamRawPredict",
	}
	unused := maps.Clone(kinds)
	for _, name := range endpoint.Names() {
		for known := range kinds {
			if name == known || strings.HasPrefix(name, known+".") {
				delete(unused, known)
			}
		}
		listed := slices.ContainsFunc(nothing, func(n string) bool { return name == n || strings.HasPrefix(name, n+".") })
		if holds(name) == Nothing && !listed {
			t.Errorf("%s keeps nothing: is that so?", name)
		}
	}
	for name := range unused {
		t.Errorf("there is no endpoint %s", name)
	}
}
