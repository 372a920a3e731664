package eventstream

import "outrigger/policy/endpoint"

// kind is what the name or type of an event says about it.
type kind uint8

const (
	kindError  kind = 1 << iota // tells of a failure
	kindEarly                   // says nothing about success yet
	kindEnd                     // ends the answer in its dialect
	kindLast                    // and nothing ever follows it
	kindSpeaks                  // adds to an Anthropic message, and so takes its stop back
)

// names are the events that mean something here: to every dialect, and to the one
// that they end. Sources: the OpenAI API description 2.3.0, Anthropic's streaming
// page; response.error is OpenRouter's, ping is Anthropic's, response.done is what
// some gateways of the Responses API send for all ends, with the response's status
// (can1357/oh-my-pi#4692).
//
// Only what nothing is ever seen to follow is kindLast. Some relays send [DONE]
// after a Responses end or a transcript, and images end once for each image.
var names = map[string]struct {
	always kind
	ends   endpoint.Dialect
	end    kind
}{
	"error":                                 {always: kindError},
	"response.error":                        {always: kindError},
	"ping":                                  {always: kindEarly},
	"message_start":                         {always: kindEarly},
	"content_block_start":                   {always: kindEarly | kindSpeaks},
	"content_block_delta":                   {always: kindSpeaks},
	"response.created":                      {always: kindEarly},
	"response.queued":                       {always: kindEarly},
	"response.in_progress":                  {always: kindEarly},
	"response.output_item.added":            {always: kindEarly}, // an item without its content
	"response.content_part.added":           {always: kindEarly},
	"response.reasoning_summary_part.added": {always: kindEarly},
	"response.failed":                       {always: kindError, ends: endpoint.Responses, end: kindEnd},
	"response.completed":                    {ends: endpoint.Responses, end: kindEnd},
	"response.incomplete":                   {ends: endpoint.Responses, end: kindEnd},
	"response.cancelled":                    {ends: endpoint.Responses, end: kindEnd},
	"response.canceled":                     {ends: endpoint.Responses, end: kindEnd},
	"response.done":                         {ends: endpoint.Responses, end: kindEnd},
	"message_stop":                          {ends: endpoint.Messages, end: kindEnd | kindLast},
	"image_generation.completed":            {ends: endpoint.Images, end: kindEnd},
	"image_edit.completed":                  {ends: endpoint.Images, end: kindEnd},
	"transcript.text.done":                  {ends: endpoint.Transcriptions, end: kindEnd},
	"speech.audio.done":                     {ends: endpoint.Speech, end: kindEnd | kindLast},
	"done":                                  {ends: endpoint.Assistants, end: kindEnd | kindLast},
}

// kindOf returns what the name of an event, or the type in its data, says in
// dialect d. Both are looked up: OpenAI's SDKs go by the type, Anthropic's by the
// name, and upstreams leave out either.
func kindOf(d endpoint.Dialect, name []byte) kind {
	if len(name) == 0 {
		return 0
	}
	row, ok := names[string(name)]
	if !ok {
		return 0
	}
	if row.ends == d {
		return row.always | row.end
	}
	return row.always
}

// named tells whether events of dialect d carry an event line.
func named(d endpoint.Dialect) bool {
	return d == endpoint.Responses || d == endpoint.Messages || d == endpoint.Assistants
}

// looksAtTheTop tells whether clients of dialect d know an error by a member "error"
// alone. In Messages the event's name tells it; of Responses' documented flat form
// half of the SDKs take no notice, see payload.
func looksAtTheTop(d endpoint.Dialect) bool {
	return d != endpoint.Unknown && d != endpoint.Messages
}

// byChoice tells whether dialect d ends with a finish_reason for each choice.
func byChoice(d endpoint.Dialect) bool {
	return d == endpoint.Chat || d == endpoint.Completions || d == endpoint.Gemini
}
