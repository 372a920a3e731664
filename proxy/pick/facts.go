package pick

import "outrigger/policy/endpoint"

const (
	// bytesPerToken is the rule of thumb for English text. Source: OpenAI help
	// center, "What are tokens and how to count them".
	bytesPerToken = 4
	// tokensPerImage is a 1024 x 1024 image in high detail: 85 tokens and 170 for
	// each of four tiles. Source: OpenAI vision guide, "Calculating costs".
	tokensPerImage = 765
	// maxTokenLimit is the largest output limit that is believed. Context windows
	// end at some 2 million tokens; a value over this one is a mistake or a trick.
	maxTokenLimit = 10_000_000
	// maxChoices is the largest n of the API. Source: openai/openai-openapi,
	// CreateChatCompletionRequest.n.
	maxChoices = 128
	// MaxModel is how many bytes of a model's name are kept. The longest ones seen,
	// fine-tuned models with a suffix, have about 100.
	MaxModel = 256
)

// Facts are what a body says. The zero value is a body that says nothing.
type Facts struct {
	// Model is the model's name, "" if there is none. One over 256 bytes is as clip.Text
	// makes it.
	Model string
	// ModelStart and ModelEnd are where the name stands in the body, as it is written
	// there (escaped, or longer than Model), without its quotes. Both are 0 when
	// there is no name, an empty one, or one that is not UTF-8.
	ModelStart, ModelEnd int64
	// Tier is "service_tier" as written, "" if there is none, or one of more than 24 bytes
	// or of others than letters, digits, - _ and dots. Forms have none.
	Tier string
	// Stream says that an event stream is wanted.
	Stream bool
	// MaxTokens is the largest of max_tokens, max_completion_tokens and
	// max_output_tokens, in tokens; 0 when there is none between 1 and 10,000,000.
	MaxTokens int
	// N is how many choices are wanted, 0 when not said; values over 128 are ignored.
	N int
	// PromptBytes is the length of the texts that the model is to read, in bytes of
	// UTF-8 after unescaping. An input token that is sent as a number counts as four.
	PromptBytes int
	// Images is the number of images that the model is to read. Other files and
	// recordings count nothing: their bytes say little about their tokens.
	Images int
	// What changes the effect of a call.
	endpoint.Facts
	// Valid says that the body was complete: a JSON object with nothing but white
	// space around it, or a form up to its last boundary.
	Valid bool
}

// Tokens returns the estimated cost of the call in tokens: that of its input, and
// as many as it may answer: providers count the answer's limit before it is used
// (OpenAI rate limits guide, on max_tokens).
func (f Facts) Tokens() int {
	return f.PromptBytes/bytesPerToken + f.Images*tokensPerImage + f.MaxTokens*max(f.N, 1)
}
