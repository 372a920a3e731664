package sdk

import "testing"

// A create whose answer was lost is told by a status that no client repeats by itself, whatever
// it does with x-should-retry.
func TestNoClientRepeatsALostCreate(t *testing.T) {
	clients := map[string]other{
		"the AI SDK, compatible": aiCompatible, "the AI SDK, OpenAI": aiOpenAI, "LangChain.js": langchainJS, "langchain4j": langchain4j,
		"openai for Node": openaiNode, "anthropic for Node": anthropicNode, "openai for Python": openaiPython, "anthropic for Python": anthropicPython,
	}
	for name, o := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := (&outage{reset: true}).start(t)
			w := client{way: byBaseURL}.start(t, troubles{}, waits(lost.base))
			got := o.call(t, w.base(), "", creating)
			t.Logf("%s: %d calls, %s", got.Version, lost.calls.Load(), got.Error)
			if got.OK || lost.calls.Load() != 1 {
				t.Errorf("it succeeded: %t, upstream calls %d, want an error and 1", got.OK, lost.calls.Load())
			}
		})
	}
}
