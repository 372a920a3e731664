package policy

import (
	"net/http"
	"strings"
)

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
