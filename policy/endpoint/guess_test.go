package endpoint_test

import (
	"net/http"
	"testing"

	"outrigger/policy/endpoint"
)

const (
	chatShape     = endpoint.HasModel | endpoint.HasMessages
	messagesShape = chatShape | endpoint.HasMaxTokens
	inputShape    = endpoint.HasModel | endpoint.HasInput
	promptShape   = endpoint.HasModel | endpoint.HasPrompt
)

func TestACallIsKnownByItsTailAndItsBodyUnderAnyBase(t *testing.T) {
	t.Parallel()
	for path, tt := range map[string]struct {
		members endpoint.Members
		want    endpoint.Endpoint
	}{
		"/api/chat/completions":                                                     {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/ollama/v1/chat/completions":                                               {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/v1/ACCOUNT/GATEWAY/compat/chat/completions":                               {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/v1/projects/p/locations/us-central1/endpoints/openapi/chat/completions?x": {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/inference/chat/completions/":                                              {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/engines/v1//chat/completions":                                             {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/models/meta/llama/v1/chat/completions":                                    {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/gw/openai/deployments/gpt-4o/chat/completions":                            {endpoint.HasMessages, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/gw/openai/deployments/ada/embeddings":                                     {endpoint.HasInput, endpoint.Endpoint{"embeddings", endpoint.Compute, endpoint.Unknown}},
		"/v9/chat/completions":                                                      {chatShape, endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat}},
		"/v1/v1/embeddings":                                                         {inputShape, endpoint.Endpoint{"embeddings", endpoint.Compute, endpoint.Unknown}},
		"/x/v1/responses":                                                           {inputShape, endpoint.Endpoint{"responses", endpoint.Compute, endpoint.Responses}},
		"/gw/anthropic/v1/messages":                                                 {messagesShape, endpoint.Endpoint{"messages", endpoint.Compute, endpoint.Messages}},
		"/gw/anthropic/v1/messages/count_tokens":                                    {chatShape, endpoint.Endpoint{"messages.count_tokens", endpoint.Read, endpoint.Unknown}},
		"/gw/completions":                                                           {promptShape, endpoint.Endpoint{"completions", endpoint.Compute, endpoint.Completions}},
		"/team/gateway/embeddings":                                                  {inputShape, endpoint.Endpoint{"embeddings", endpoint.Compute, endpoint.Unknown}},
		"/v1/engines/davinci/completions":                                           {endpoint.HasPrompt, endpoint.Endpoint{"completions", endpoint.Compute, endpoint.Completions}},
		"/vllm/v1/completions":                                                      {promptShape, endpoint.Endpoint{"completions", endpoint.Compute, endpoint.Completions}},
		"/x/audio/transcriptions":                                                   {endpoint.HasModel, endpoint.Endpoint{"audio.transcriptions", endpoint.Compute, endpoint.Transcriptions}},
	} {
		if got := endpoint.Of(http.MethodPost, path, endpoint.Facts{Members: tt.members}); got != tt.want {
			t.Errorf("POST %s = %+v, want %+v", path, got, tt.want)
		}
		if got := endpoint.Of(http.MethodPost, path, endpoint.Facts{}); got.Effect != endpoint.Create {
			t.Errorf("POST %s without a shape has effect %v", path, got.Effect)
		}
	}
	stored := endpoint.Facts{Members: chatShape, Store: true}
	if got := endpoint.Of(http.MethodPost, "/api/chat/completions", stored); got.Effect != endpoint.Create {
		t.Errorf("a chat that is stored has effect %v", got.Effect)
	}
	background := endpoint.Facts{Members: inputShape, Background: true}
	if got := endpoint.Of(http.MethodPost, "/api/v1x/responses", background); got.Effect != endpoint.Create {
		t.Errorf("a response in the background has effect %v", got.Effect)
	}
}

// What looks alike and is not: the tail means something else, or the body does.
func TestATailAloneOrAShapeAloneStaysACreate(t *testing.T) {
	t.Parallel()
	const every = endpoint.Members(0xff)
	for path, members := range map[string]endpoint.Members{
		"/v1/threads/x/messages":          every, // listed, as a create
		"/api/threads/x/messages":         every,
		"/api/v1/chats/7/messages":        every,
		"/api/v1/courses/42/completions":  every,
		"/tasks/completions":              every,
		"/gateway/7/completions":          every,
		"/engines/completions":            every,
		"/gw/completions":                 endpoint.HasPrompt,
		"/gw/completions/x":               every,
		"/gw/v1/messages":                 chatShape, // no max_tokens
		"/api/chat/completions":           endpoint.HasMessages,
		"/gw/chat/completions":            inputShape,
		"/api/chat/completions/new":       every,
		"/api/chat":                       every,
		"/api/jobs":                       every,
		"/api/v1/files":                   every,
		"/gw/v1/batches":                  every,
		"/gw/v1/responses/completions":    every, // an object of the row responses/{}
		"/api/chat/completions%2Fdelete":  every,
		"/deployments/x/y/embeddings":     endpoint.HasInput,
		"/x/chat/completions/../messages": every,
	} {
		if got := endpoint.Of(http.MethodPost, path, endpoint.Facts{Members: members}); got.Effect != endpoint.Create && got.Effect != endpoint.Replace {
			t.Errorf("POST %s = %+v", path, got)
		}
		if got := endpoint.Of(http.MethodPatch, path, endpoint.Facts{Members: members}); got.Effect != endpoint.Create {
			t.Errorf("PATCH %s = %+v", path, got)
		}
	}
}

func TestABodyThatCouldNotBeReadMakesAComputeACreate(t *testing.T) {
	t.Parallel()
	unread := endpoint.Facts{Unread: true}
	for _, path := range posts[endpoint.Compute] {
		if got := endpoint.Of(http.MethodPost, "/v1/"+path, unread); got.Effect != endpoint.Create {
			t.Errorf("POST %s = %+v", path, got)
		}
	}
	for path, want := range map[string]endpoint.Effect{
		"/v1/search": endpoint.Read, "/v1/batches/b/cancel": endpoint.Replace,
		"/v1beta/models/m:countTokens": endpoint.Read, "/v1beta/models/m:generateContent": endpoint.Create,
	} {
		if got := endpoint.Of(http.MethodPost, path, unread); got.Effect != want {
			t.Errorf("POST %s = %+v", path, got)
		}
	}
	if got := endpoint.Of(http.MethodGet, "/v1/models", unread); got.Effect != endpoint.Read {
		t.Errorf("GET = %+v", got)
	}
}

func TestGooglesMethodsAreKnown(t *testing.T) {
	t.Parallel()
	for path, tt := range map[string]struct {
		name, model string
		effect      endpoint.Effect
		streams     bool
	}{
		"/v1beta/models/gemini-2.5-flash:generateContent":                              {"generateContent", "gemini-2.5-flash", endpoint.Compute, false},
		"/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse":                      {"streamGenerateContent", "gemini-2.5-pro", endpoint.Compute, true},
		"/gw/v1alpha/tunedModels/mine-1:generateContent/":                              {"generateContent", "mine-1", endpoint.Compute, false},
		"/v1/projects/p/locations/l/publishers/google/models/g:countTokens":            {"countTokens", "g", endpoint.Read, false},
		"/v1/projects/p/locations/l/publishers/anthropic/models/c@20250101:rawPredict": {"rawPredict", "c@20250101", endpoint.Compute, false},
		"/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict":    {"streamRawPredict", "c", endpoint.Compute, true},
		"/v1/projects/p/locations/l/endpoints/123:predict":                             {"predict", "123", endpoint.Compute, false},
		"/v1beta/models/e:embedContent":                                                {"embedContent", "e", endpoint.Compute, false},
		"/v1beta/models/e%3AbatchEmbedContents":                                        {"batchEmbedContents", "e", endpoint.Compute, false},
		"/v1beta/models/g:batchGenerateContent":                                        {"batchGenerateContent", "g", endpoint.Create, false},
		"/v1beta/models/e:asyncBatchEmbedContent":                                      {"asyncBatchEmbedContent", "e", endpoint.Create, false},
		"/v1beta/models/veo:predictLongRunning":                                        {"predictLongRunning", "veo", endpoint.Create, false},
		"/v1beta/models/g:newMethod":                                                   {"other", "", endpoint.Create, false},
		"/v1beta/models/:generateContent":                                              {"other", "", endpoint.Create, false},
		"/v1beta/models/generateContent":                                               {"other", "", endpoint.Create, false},
		"/v1beta/files/f:generateContent":                                              {"other", "", endpoint.Create, false},
		"/v1beta/tunedModels/t:transferOwnership":                                      {"other", "", endpoint.Create, false},
		"/v1beta/cachedContents":                                                       {"other", "", endpoint.Create, false},
		"/v1beta/batches/b:cancel":                                                     {"other", "", endpoint.Replace, false},
	} {
		got := endpoint.Of(http.MethodPost, path, endpoint.Facts{})
		if got.Name != tt.name || got.Effect != tt.effect {
			t.Errorf("POST %s = %+v, want %s, %v", path, got, tt.name, tt.effect)
		}
		if model, method := endpoint.Method(path); model != tt.model || endpoint.Streams(method) != tt.streams {
			t.Errorf("%s: model %q, method %q", path, model, method)
		}
	}
	// GET of the same is a read, as ever.
	if got := endpoint.Of(http.MethodGet, "/v1beta/models/g:generateContent", endpoint.Facts{}); got.Effect != endpoint.Read {
		t.Errorf("GET = %+v", got)
	}
}
