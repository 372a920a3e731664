package policy

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The waits that clients are known to bear without announcing them.
const (
	// nodeTimeout is undici's headersTimeout, which ends a fetch whatever timeout the SDK
	// has (openai-node and @anthropic-ai/sdk, client.ts, on fetchOptions). It begins anew
	// with each piece of the body that is sent (undici, client-h1.js).
	nodeTimeout = 300 * time.Second
	// dotnetTimeout is System.ClientModel's NetworkTimeout (ClientPipeline.cs), which
	// holds from the start.
	dotnetTimeout = 100 * time.Second
)

// knownTimeouts is what the caller's User-Agent tells about how long it waits for an
// answer's headers, less the margin: in silence, and in total. 0 is nothing.
func knownTimeouts(h map[string][]string) (silence, total time.Duration) { //nolint:nonamedreturns // the names tell them apart
	agent := first(h, "User-Agent")
	switch {
	case strings.Contains(agent, "(.NET"): // OpenAI/2.1.0 (.NET 8.0.10; Linux ...), azsdk-net-... likewise
		return 0, due(dotnetTimeout)
	case usesFetch(agent, first(h, "X-Stainless-Package-Version")) && isNode(first(h, "X-Stainless-Runtime")):
		return due(nodeTimeout), 0
	}
	return 0, 0
}

// Versions from which on an SDK sends by the runtime's own fetch. Older ones brought
// node-fetch, which has no such timeout.
var (
	openaiFetch    = version{5, 0}  // openai-node
	anthropicFetch = version{0, 50} // @anthropic-ai/sdk (anthropic-sdk-typescript#645)
)

// usesFetch reports whether the client sends by the runtime's own fetch and, where its
// User-Agent tells the runtime, whether that is Node: the AI SDK, LangChain.js (which
// tells its own version in its User-Agent and openai-node's in the header), openai-node and
// @anthropic-ai/sdk.
func usesFetch(agent, sdk string) bool {
	switch {
	case strings.Contains(agent, "ai-sdk-provider-utils/"):
		return strings.Contains(agent, "node.js/")
	case strings.Contains(agent, "langchainjs-"):
		// langchainjs-openai/1.0.0 (node/v22.1.0; linux; x64), langchainjs-azure-openai/2.0.0
		// (...): the runtime in brackets twice in some versions, and no slash in the oldest.
		elsewhere := strings.Contains(agent, "(") && !strings.Contains(agent, "(node/")
		return !elsewhere && (sdk == "" || atLeast(sdk, openaiFetch))
	}
	if _, text, ok := strings.Cut(agent, "OpenAI/JS "); ok { // AzureOpenAI/JS too
		return atLeast(text, openaiFetch)
	}
	// Anthropic/JS, AnthropicBedrock/JS, AnthropicVertex/JS: all with the number of the first.
	name, text, ok := strings.Cut(agent, "/JS ")
	return ok && strings.Contains(name, "Anthropic") && atLeast(text, anthropicFetch)
}

// isNode reports whether X-Stainless-Runtime, when the SDK sends it, says Node:
// Deno, Bun and the edge runtimes have other limits.
func isNode(runtime string) bool { return runtime == "" || runtime == "node" }

// truncates reports whether the client cuts its timeout down to whole seconds before it
// announces it: Math.trunc in openai-node and @anthropic-ai/sdk (client.ts, buildHeaders),
// int in openai-go and anthropic-sdk-go (requestconfig.go), Duration.toSeconds in openai-java,
// anthropic-java and what is built on them, as Spring AI (OkHttpClient.kt). Python's
// SDKs announce the number as it is. Where a gateway took X-Stainless-Lang away,
// the User-Agent tells.
func truncates(h map[string][]string) bool {
	switch first(h, "X-Stainless-Lang") {
	case "js", "go", "java", "kotlin":
		return true
	case "":
		_, sdk, _ := strings.Cut(first(h, "User-Agent"), "/")
		language, _, _ := strings.Cut(sdk, " ")
		return language == "JS" || language == "Go" || language == "Java" || language == "Kotlin"
	}
	return false
}

// version is a release's number, major and minor.
type version [2]int

// atLeast reports whether text begins with the number of a release of v or later.
func atLeast(text string, v version) bool {
	major, rest, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(major)
	if err != nil || n != v[0] {
		return err == nil && n > v[0]
	}
	minor, _, _ := strings.Cut(rest, ".")
	n, err = strconv.Atoi(minor)
	return v[1] == 0 || err == nil && n >= v[1]
}

func first(h map[string][]string, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// UnsureStatus is the status that tells a client, by its User-Agent, that a create may have
// been carried out: one that it does not answer by sending the request again.
//
// It is 424 (RFC 4918, section 11.4), which openai's and anthropic's SDKs, the AI SDK,
// langchain4j and Spring AI take for an answer. LangChain.js repeats every status but 400 to 407
// and 409 (@langchain/core, utils/async_caller, STATUS_NO_RETRY): it gets 409.
func UnsureStatus(userAgent string) int {
	if strings.Contains(userAgent, "langchainjs") {
		return http.StatusConflict
	}
	return http.StatusFailedDependency
}
