package reply

// Dialect is the language of an endpoint's errors and streams.
type Dialect uint8

// The dialects.
const (
	DialectChat      Dialect = iota // OpenAI, all but its Responses API
	DialectResponses                // OpenAI Responses API
	DialectMessages                 // Anthropic
)
