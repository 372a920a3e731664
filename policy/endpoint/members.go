package endpoint

// Members is a set of members at the top of a request's body that tell what it asks for.
type Members uint8

// The members. Each counts if it is there and not null.
const (
	// HasModel is a "model" that is a name.
	HasModel Members = 1 << iota
	// HasMessages are "messages" that are a list.
	HasMessages
	// HasInput is "input": of Responses, embeddings, speech.
	HasInput
	// HasPrompt is "prompt": of completions and images.
	HasPrompt
	// HasQuery is "query": of rerank.
	HasQuery
	// HasDocuments are "documents": of rerank.
	HasDocuments
	// HasMaxTokens is "max_tokens", which Anthropic's messages must have.
	HasMaxTokens
)
