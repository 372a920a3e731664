package pick

import "outrigger/policy/endpoint"

// key is one that means something: at the top of the object, or within a prompt.
type key uint8

// Keys at the top. The order makes ranges: flags, numbers, prompts.
const (
	keyOther key = iota
	keyModel
	keyTier
	keyGeneration

	keyStream
	keyStore
	keyBackground
	keyConversation
	keyServers
	keyTools // also a prompt: definitions are read by the model

	keyInput
	keyPrompt
	keyMessages
	keyInstructions
	keySystem
	keyFunctions
	keyFormat
	keyTextFormat
	keySuffix
	keyQuery
	keyDocuments
	keyImages
	keyContents
	keyContent
	keyRequests
	keySystemInstruction

	keyMax
	keyMaxCompletion
	keyMaxOutput
	keyN
)

// topKey returns the key that text names at the top of a body. Sources:
// openai/openai-openapi CreateChatCompletionRequest, CreateResponse, CreateCompletion,
// CreateEmbedding, CreateImage; Anthropic's messages (system, mcp_servers); rerank as
// Cohere and vLLM have it (query, documents); Gemini's methods, whose names may be in either
// case (ai.google.dev/api/generate-content and embeddings; protobuf's JSON mapping).
func topKey(text []byte) key {
	switch string(text) {
	case "model":
		return keyModel
	case "service_tier":
		return keyTier
	case "stream":
		return keyStream
	case "store":
		return keyStore
	case "background":
		return keyBackground
	case "conversation":
		return keyConversation
	case "mcp_servers":
		return keyServers
	case "tools":
		return keyTools
	case "input":
		return keyInput
	case "prompt":
		return keyPrompt
	case "messages":
		return keyMessages
	case "instructions":
		return keyInstructions
	case "system":
		return keySystem
	case "functions":
		return keyFunctions
	case "response_format":
		return keyFormat
	case "text":
		return keyTextFormat
	case "suffix":
		return keySuffix
	case "query":
		return keyQuery
	case "documents":
		return keyDocuments
	case "images":
		return keyImages
	case "contents":
		return keyContents
	case "content":
		return keyContent
	case "requests":
		return keyRequests
	case "systemInstruction", "system_instruction":
		return keySystemInstruction
	case "generationConfig", "generation_config":
		return keyGeneration
	case "max_tokens":
		return keyMax
	case "max_completion_tokens":
		return keyMaxCompletion
	case "max_output_tokens":
		return keyMaxOutput
	case "n":
		return keyN
	default:
		return keyOther
	}
}

func (k key) isFlag() bool   { return k >= keyStream && k <= keyBackground }
func (k key) isNumber() bool { return k >= keyMax && k <= keyN }
func (k key) isPrompt() bool { return k >= keyTools && k <= keySystemInstruction }

// inner is what a key within a prompt says about its value.
type inner uint8

const (
	innerOther inner = iota
	innerType        // a part's or a tool's type
	innerData        // what the model does not read as text
	innerMedia       // the media type of such data

	innerLimit      // of tokens, in Gemini's configuration
	innerCandidates // how many answers, there
)

// innerKey returns what text says as a key within a prompt: "data" is the base64 of
// Anthropic's images and OpenAI's input_audio, "file_data" and "b64_json" are files and
// images; "encrypted_content" and "signature" are reasoning that is sent back.
func innerKey(text []byte) inner {
	switch string(text) {
	case "type":
		return innerType
	case "data", "file_data", "b64_json", "encrypted_content", "signature":
		return innerData
	case "mimeType", "mime_type":
		return innerMedia
	default:
		return innerOther
	}
}

// configKey returns what text says as a key of Gemini's generationConfig.
func configKey(text []byte) inner {
	switch string(text) {
	case "maxOutputTokens", "max_output_tokens":
		return innerLimit
	case "candidateCount", "candidate_count":
		return innerCandidates
	default:
		return innerOther
	}
}

// member is the one that k is of those that tell a body's shape; the model's is set where
// its name is known.
func (k key) member() endpoint.Members {
	switch k {
	case keyMessages:
		return endpoint.HasMessages
	case keyInput:
		return endpoint.HasInput
	case keyPrompt:
		return endpoint.HasPrompt
	case keyQuery:
		return endpoint.HasQuery
	case keyDocuments:
		return endpoint.HasDocuments
	case keyMax:
		return endpoint.HasMaxTokens
	default:
		return 0
	}
}
