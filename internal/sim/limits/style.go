package limits

// Style is how rate limits are told: which headers, which error text.
type Style string

// The styles. OpenAI is the default.
const (
	OpenAI    Style = "openai"
	Azure     Style = "azure"
	Groq      Style = "groq"
	Anthropic Style = "anthropic"
	// NoHeaders sends OpenAI's refusals without any rate-limit or Retry-After header.
	NoHeaders Style = "none"
)
