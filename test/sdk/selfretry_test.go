package sdk

import (
	"os"
	"testing"
)

// long reports whether the test may take minutes, with waits as they are by default.
func long() bool { return os.Getenv("OUTRIGGER_TEST_TIMING") != "" }

// waits are Outrigger's settings for a test with real time: short ones, or its defaults.
func waits(upstream string) map[string]string {
	settings := map[string]string{"UPSTREAMS": "openai=" + upstream}
	if long() {
		settings["RETRY_BASE"], settings["RETRY_CAP"] = "", ""
	}
	return settings
}

// Each of these retries by itself, whatever x-should-retry says.
func TestClientsThatIgnoreTheHeaderCostNoMoreCalls(t *testing.T) {
	tests := map[string]struct {
		client other
		short  string // retries, where the client's default takes long
		tries  [2]int // with these, and by default
	}{
		"AI SDK with openai-compatible": {aiCompatible, "", [2]int{3, 3}},
		"AI SDK with openai":            {aiOpenAI, "", [2]int{3, 3}},
		"LangChain.js":                  {langchainJS, "3", [2]int{4, 7}},
		"langchain4j":                   {langchain4j, "", [2]int{3, 3}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			retries, want := tt.short, int64(tt.tries[0])
			if long() {
				retries, want = "", int64(tt.tries[1])
			}
			near, far := (&outage{}).start(t), (&outage{}).start(t)
			w := client{way: byBaseURL}.start(t, troubles{}, waits(far.base))
			straight := make(chan report, 1)
			go func() { straight <- tt.client.call(t, near.base+"/v1", retries) }()
			through := tt.client.call(t, w.base(), retries)
			alone := <-straight
			t.Logf("%s: straight %d calls in %.1f s, through Outrigger %d in %.1f s",
				alone.Version, near.calls.Load(), alone.Seconds, far.calls.Load(), through.Seconds)
			if alone.OK || through.OK {
				t.Error("it succeeds at an upstream that is down")
			}
			if got := near.calls.Load(); got != want {
				t.Errorf("straight it makes %d calls, want %d: is the client another one?", got, want)
			}
			if got := far.calls.Load(); got < 2 || got > want {
				t.Errorf("%d calls through Outrigger, want no more than %d: %s", got, want, through.Error)
			}
		})
	}
}
