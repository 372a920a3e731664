// Package usage counts the tokens that an answer says it took, alike for whole JSON and
// for streams, in every dialect.
//
// # Where a usage stands
//
// At the top of the answer, of an event or of each member of a list: "usage", Gemini's
// "usageMetadata". Or there in the object "response" (Responses' events), "message"
// (Anthropic's message_start) or "x_groq". A member of that name anywhere else, in
// content or in a tool's result, is not the answer's.
//
// # What counts
//
// The prompt is all that the model read, the completion all that it wrote:
//
//   - OpenAI: prompt_tokens or input_tokens; completion_tokens or output_tokens. Cached and
//     reasoning tokens are part of them, in details.
//   - Anthropic: input_tokens + cache_creation_input_tokens + cache_read_input_tokens, which
//     its API reference (Messages, Usage) calls the total input tokens of a request.
//   - Bedrock: the same as inputTokens + cacheWriteInputTokens + cacheReadInputTokens (AWS,
//     prompt caching; API_runtime_TokenUsage).
//   - Gemini: promptTokenCount, which has the cached ones in it, + toolUsePromptTokenCount;
//     candidatesTokenCount + thoughtsTokenCount (ai.google.dev/api/generate-content,
//     UsageMetadata: totalTokenCount is the sum of these four).
//
// Gateways that translate Anthropic's answers into OpenAI's shape put its cache counts
// beside a prompt_tokens that has them in it already (LiteLLM's Usage), so they are added to
// input_tokens alone.
//
// Where a count comes several times, as in the events of a stream, the last one holds.
package usage
