package loop

import (
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/usage"
)

// committed notes what is known when a's answer goes to the relay.
func (x *Run) committed(a *attempt.Attempt) {
	r := &x.Record
	r.First = time.Since(x.Start)
	r.UpstreamID = a.Resp.Header.Get("X-Request-Id")
	if r.UpstreamID == "" {
		r.UpstreamID = a.Resp.Header.Get("Request-Id") // Anthropic
	}
	if a.Held != nil && a.Watcher == nil {
		opening, _ := a.Held.Opening()
		if a.Decoded != nil {
			opening, a.Decoded = a.Decoded, nil
		}
		counts := usage.Of(opening)
		r.PromptTokens, r.CompletionTokens = counts.Prompt(), counts.Completion()
	}
	if a.Verdict.Outcome != classify.OutcomeOK {
		r.Failed(a.Verdict.Error)
	}
}
