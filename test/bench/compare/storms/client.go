package storms

import (
	"context"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"outrigger/internal/sim/reply"
	"outrigger/test/bench/compare/peers"
)

// whole is the text of every answer.
var whole = reply.Words(answerTokens)

// answerTokens is the length of the simulator's answers.
const answerTokens = 16

// outcome is how a call ended, as the app sees it.
type outcome uint8

const (
	failed   outcome = iota // and the app was told
	complete                // all of the answer
	silent                  // a part of the answer that looks like all of it
)

// client is the app: the official SDK with its defaults.
type client struct {
	api   openai.Client
	model string
	http  *http.Transport
}

func newClient(e peers.Endpoint) *client {
	c := &client{model: "gpt-4o-mini", http: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}}
	if e.Model != "" {
		c.model = e.Model
	}
	settings := []option.RequestOption{
		option.WithBaseURL(e.URL + "/v1/"), option.WithAPIKey("sk-bench"), option.WithHTTPClient(&http.Client{Transport: c.http}),
	}
	for name, value := range e.Header {
		settings = append(settings, option.WithHeader(name, value))
	}
	c.api = openai.NewClient(settings...)
	return c
}

// do makes one call. id marks its attempts for the ledger and makes each body its own.
func (c *client) do(ctx context.Context, id string, what call) (outcome, error) {
	mark := option.WithHeader("X-Sim-Request", id)
	switch what.kind {
	case embedding:
		answer, err := c.api.Embeddings.New(ctx, openai.EmbeddingNewParams{
			Model: c.model, Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String(id)},
		}, mark)
		return is(err == nil && len(answer.Data) == 1), err
	case upload:
		file := openai.File(strings.NewReader("The text of "+id), id+".txt", "text/plain")
		answer, err := c.api.Files.New(ctx, openai.FileNewParams{File: file, Purpose: openai.FilePurposeUserData}, mark)
		return is(err == nil && answer.ID != ""), err
	case stream:
		return c.stream(ctx, c.question(id, what), mark)
	default:
		answer, err := c.api.Chat.Completions.New(ctx, c.question(id, what), mark)
		return is(err == nil && len(answer.Choices) == 1 && answer.Choices[0].Message.Content == whole), err
	}
}

func (c *client) question(id string, what call) openai.ChatCompletionNewParams {
	q := openai.ChatCompletionNewParams{Model: c.model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(id)}}
	if what.tokens > 0 {
		q.MaxTokens = openai.Int(what.tokens)
	}
	return q
}

func (c *client) stream(ctx context.Context, q openai.ChatCompletionNewParams, mark option.RequestOption) (outcome, error) {
	events := c.api.Chat.Completions.NewStreaming(ctx, q, mark)
	defer func() { _ = events.Close() }()
	var text strings.Builder
	for events.Next() {
		for _, choice := range events.Current().Choices {
			text.WriteString(choice.Delta.Content)
		}
	}
	switch err := events.Err(); {
	case err != nil:
		return failed, err
	case text.String() != whole:
		return silent, nil
	}
	return complete, nil
}

func is(good bool) outcome {
	if good {
		return complete
	}
	return failed
}
