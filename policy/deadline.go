package policy

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Headers with which SDKs announce their own timeout, in seconds: openai-python
// and openai-java send the first (the longest silence they bear, so also the
// longest wait for an answer), openai-node, openai-go and openai-java the second.
// anthropic's SDKs send the same.
const (
	readTimeoutHeader = "X-Stainless-Read-Timeout"
	timeoutHeader     = "X-Stainless-Timeout"
)

// The waits that clients are known to bear without announcing them.
const (
	// nodeTimeout is undici's headersTimeout, which ends a fetch whatever timeout
	// the SDK has (openai-node, client.ts, on fetchOptions).
	nodeTimeout = 300 * time.Second
	// dotnetTimeout is System.ClientModel's NetworkTimeout (ClientPipeline.cs).
	dotnetTimeout = 100 * time.Second
)

// Announced timeouts outside these bounds are mistakes and are not believed.
const (
	announcedMin = time.Millisecond
	announcedMax = 24 * time.Hour
)

// The answer has to reach the caller before its own timeout does: it is due
// earlier by a tenth of the time, but at most by a second.
const (
	marginShare = 10
	marginMax   = time.Second
)

// Deadline returns when the caller must have its answer: the smallest of total,
// of what the caller's SDK announces and of what its User-Agent is known to
// allow, less min(1 s, 10 %), so that it hears the real error and not its own
// timeout. Announced is whether it is the caller's own announcement that sets it;
// a tie counts as that. A total of 0 or less is none; without any limit the
// deadline is the zero time. Header names are canonical; malformed, negative and
// absurd values are ignored. Safe for concurrent use.
func Deadline(total time.Duration, h map[string][]string, now time.Time) (time.Time, bool) {
	limit := forever
	if total > 0 {
		limit = total
	}
	if known := knownTimeout(h); known > 0 {
		limit = min(limit, known)
	}
	announced := false
	for _, name := range [...]string{readTimeoutHeader, timeoutHeader} {
		for _, value := range h[name] {
			if d, ok := seconds(value); ok && d <= limit {
				limit, announced = d, true
			}
		}
	}
	if limit == forever {
		return time.Time{}, false
	}
	return now.Add(limit - min(limit/marginShare, marginMax)), announced
}

// seconds reads a whole or broken number of seconds.
func seconds(value string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(f) || f < announcedMin.Seconds() || f > announcedMax.Seconds() {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}

// knownTimeout is what the caller's User-Agent tells about how long it waits for
// an answer's headers, 0 when it tells nothing.
func knownTimeout(h map[string][]string) time.Duration {
	agent := first(h, "User-Agent")
	switch {
	case strings.Contains(agent, "(.NET"): // OpenAI/2.1.0 (.NET 8.0.10; Linux ...), azsdk-net-... likewise
		return dotnetTimeout
	case usesFetch(agent) && isNode(first(h, "X-Stainless-Runtime")):
		return nodeTimeout
	default:
		return 0
	}
}

// usesFetch reports whether the client sends by the runtime's own fetch: the AI
// SDK on Node, and openai-node from version 5 on (4 brought node-fetch, which has no such timeout).
func usesFetch(agent string) bool {
	if strings.Contains(agent, "ai-sdk-provider-utils/") {
		return strings.Contains(agent, "node.js/")
	}
	_, version, ok := strings.Cut(agent, "OpenAI/JS ")
	if !ok {
		return false
	}
	number, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(number)
	return err == nil && major >= 5
}

// isNode reports whether X-Stainless-Runtime, when the SDK sends it, says Node:
// Deno, Bun and the edge runtimes have other limits.
func isNode(runtime string) bool { return runtime == "" || runtime == "node" }

func first(h map[string][]string, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
