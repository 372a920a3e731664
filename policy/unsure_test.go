package policy

import "testing"

func TestNoClientRepeatsWhatMayHaveBeenDone(t *testing.T) {
	tests := map[string]int{
		"":                     424,
		"OpenAI/Python 3.54.0": 424,
		"OpenAI/JS 7.59.0":     424,
		"ai-sdk/openai/4.2.1 ai-sdk/provider-utils/5.0.1 runtime/node.js/22": 424,
		"langchain4j-openai": 424,
		"langchainjs-openai/1.6.0 (node/v20.20.2; linux; x64)": 409,
		"langchainjs-azure-openai/2.0.0":                       409,
	}
	for agent, want := range tests {
		if got := UnsureStatus(agent); got != want {
			t.Errorf("%q: %d, want %d", agent, got, want)
		}
	}
}
