package classify

import (
	"net/http"

	"outrigger/policy/endpoint"
)

// statusRules are about the rest, by status for the most part.
var statusRules = []rule{
	{
		name: "request_timeout", then: Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Ignore},
		match:    status(http.StatusRequestTimeout),
		evidence: "RFC 9110, section 15.5.9; Azure 408 Timeout",
	},
	{
		name: "key_of_another", then: rejected,
		match:    all(status(http.StatusConflict), keyOfAnother),
		evidence: "the key was used for another request (Stripe's idempotency_error, draft-ietf-httpapi-idempotency-key-header, section 2.6): for ever",
	},
	{
		name: "still_running", then: running,
		match:    stillRunning,
		evidence: "the call with this key is still being made: 409, often with Retry-After (Comfy-Org/ComfyUI#16220; Stripe's idempotency_key_in_use)",
	},
	{
		name: "conflict", then: Verdict{Outcome: OutcomeFailed, Repeat: Backoff},
		match:    status(http.StatusConflict, http.StatusTooEarly),
		evidence: "OpenAI 409 conversation_locked; its SDKs repeat 409; RFC 8470 for 425",
	},
	{
		name: "client_closed", then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore},
		match:    status(499),
		evidence: "Groq, nginx, Vertex 499: the upstream thinks that we hung up",
	},
	{
		name: "may_pass", then: modelBusy,
		match:    all(from(400, 499), retryable(true)),
		evidence: "OpenRouter availability.retryable",
	},
	{
		name: "model_failed", then: once(modelFailed),
		match:    all(status(424), saysItself("processing the model", "invoking the model")),
		evidence: "Bedrock 424 ModelErrorException",
	},
	{
		name: "timeout_told", then: timedOut,
		match:    all(status(500, 503), either(codePart("timeout", "timed_out"), saysItself("request timed out"))),
		evidence: "DashScope 500 RequestTimeOut",
	},
	{
		name: "model_crashed", then: modelFailed,
		match:    all(status(500), saysItself("model runner", "llama runner")),
		evidence: "Ollama 500 \"llama runner process has terminated\": the process of one model (ollama/ollama#8597)",
	},
	{
		name: "invalid_output", then: Verdict{Outcome: OutcomeFailed, Repeat: Once, Breaker: Ignore},
		match:    codePart("invalid_model_output"),
		evidence: "OpenAI 500: the model made invalid text of this prompt",
	},
	{
		name: "inference_unreached", then: modelFailed, notRun: true,
		match:    notReached,
		evidence: "aiand 502 bad_gateway: not carried out",
	},
	{
		name: "provider_failed", then: modelFailed,
		match:    all(status(500, 502, 503), either(fromProvider, code(providerCodes))),
		evidence: "OpenRouter and aiand: the gateway is well, what serves the model is not",
	},
	{
		name: "gateway_timeout_compute", then: once(timedOut), scope: gatewayScope,
		match:    all(status(504, 524), effect(endpoint.Compute)),
		evidence: "aiand stops at 30 s, Cloudflare at 120 s: the same slow call often times out again (chenyme/grok2api#1050)",
	},
	{
		name: "gateway_timeout", then: timedOut, scope: gatewayScope,
		match:    status(504, 524),
		evidence: "RFC 9110, section 15.6.5; Cloudflare 524: the upstream may still be at work",
	},
	{
		name: "not_implemented", then: Verdict{Outcome: OutcomeRejected, Scope: Upstream, Breaker: Ignore},
		match:    status(501, 505, 511),
		evidence: "RFC 9110, sections 15.6.2 and 15.6.6; RFC 6585, section 6: will not change by itself",
	},
	{
		name: "server_error", then: failed,
		match:    from(500, 599),
		evidence: "500, 502, 503, Cloudflare 520-523, 525, 526, 530: the SDKs repeat all of them",
	},
	{
		name: ruleOtherRejection, then: rejected,
		match:    from(400, 499),
		evidence: "RFC 9110, section 15.5: the request is at fault",
	},
}
