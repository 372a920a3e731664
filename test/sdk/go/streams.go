package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// streams are the calls that read a stream. The last argument is sent as the user, or
// as another text where there is none: it tells a test's upstream what to do.
var streams = map[string]func(context.Context, openai.Client, string) (any, error){
	"chat_stream":          chatStream,
	"chat_helper":          chatHelper,
	"chat_raw":             raw("chat/completions", func(user string) any { return withStream(chatRequest(user)) }),
	"completions_stream":   completionsStream,
	"completions_raw":      raw("completions", func(user string) any { return withStream(completionsRequest(user)) }),
	"responses_stream":     responsesStream,
	"responses_helper":     responsesStream, // openai-go has none
	"responses_raw":        raw("responses", func(user string) any { return withStream(responsesRequest(user)) }),
	"assistants_helper":    assistantsStream,
	"images_stream":        imagesStream,
	"transcription_stream": transcriptionStream,
}

func chatRequest(user string) openai.ChatCompletionNewParams {
	params := chatParams()
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	if user != "" {
		params.User = openai.String(user)
	}
	return params
}

func chatStream(ctx context.Context, client openai.Client, user string) (any, error) {
	stream := client.Chat.Completions.NewStreaming(ctx, chatRequest(user))
	var text strings.Builder
	finish, tokens := "", int64(0)
	for stream.Next() {
		chunk := stream.Current()
		for _, choice := range chunk.Choices {
			text.WriteString(choice.Delta.Content)
			finish = max(finish, choice.FinishReason)
		}
		tokens = max(tokens, chunk.Usage.TotalTokens)
	}
	return value{"text": text.String(), "finish": finish, "tokens": tokens}, stream.Err()
}

func chatHelper(ctx context.Context, client openai.Client, user string) (any, error) {
	stream := client.Chat.Completions.NewStreaming(ctx, chatRequest(user))
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		all.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil || len(all.Choices) == 0 {
		return value{}, err
	}
	choice := all.Choices[0]
	return value{"text": choice.Message.Content, "finish": choice.FinishReason}, nil
}

func completionsRequest(user string) openai.CompletionNewParams {
	return openai.CompletionNewParams{
		Model: "gpt-3.5-turbo-instruct", User: openai.String(user),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Why does a canoe")},
	}
}

func completionsStream(ctx context.Context, client openai.Client, user string) (any, error) {
	stream := client.Completions.NewStreaming(ctx, completionsRequest(user))
	var text strings.Builder
	finish := ""
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			text.WriteString(choice.Text)
			finish = max(finish, string(choice.FinishReason))
		}
	}
	return value{"text": text.String(), "finish": finish}, stream.Err()
}

func responsesRequest(user string) responses.ResponseNewParams {
	params := responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Why?")},
	}
	if user != "" {
		params.User = openai.String(user)
	}
	return params
}

func responsesStream(ctx context.Context, client openai.Client, user string) (any, error) {
	stream := client.Responses.NewStreaming(ctx, responsesRequest(user))
	var text strings.Builder
	last := ""
	for stream.Next() {
		event := stream.Current()
		last = event.Type
		if event.Type == "response.output_text.delta" {
			text.WriteString(event.Delta)
		}
	}
	return value{"text": text.String(), "last": last}, stream.Err()
}

func assistantsStream(ctx context.Context, client openai.Client, user string) (any, error) {
	//lint:ignore SA1019 the Assistants API is still called, and its streams have a dialect of their own
	stream := client.Beta.Threads.Runs.NewStreaming(ctx, "thread_1", //nolint:staticcheck // the same
		openai.BetaThreadRunNewParams{AssistantID: "asst_1"}, option.WithJSONSet("user", user))
	last := ""
	for stream.Next() {
		last = stream.Current().Event
	}
	return value{"last": last}, stream.Err()
}

func imagesStream(ctx context.Context, client openai.Client, user string) (any, error) {
	stream := client.Images.GenerateStreaming(ctx, openai.ImageGenerateParams{
		Model: "gpt-image-1", Prompt: "a canoe", PartialImages: openai.Int(2),
	}, option.WithJSONSet("user", user))
	last, size := "", 0
	for stream.Next() {
		event := stream.Current()
		last, size = event.Type, len(event.B64JSON)
	}
	return value{"last": last, "size": size}, stream.Err()
}

func transcriptionStream(ctx context.Context, client openai.Client, user string) (any, error) {
	wave := append([]byte("RIFF\x24\x00\x00\x00WAVEfmt "), make([]byte, 20000)...)
	stream := client.Audio.Transcriptions.NewStreaming(ctx, openai.AudioTranscriptionNewParams{
		Model: "gpt-4o-transcribe", Prompt: openai.String(user),
		File: openai.File(bytes.NewReader(wave), "speech.wav", "audio/wav"),
	})
	var text strings.Builder
	last := ""
	for stream.Next() {
		event := stream.Current()
		last = event.Type
		text.WriteString(event.Delta)
	}
	return value{"text": text.String(), "last": last}, stream.Err()
}

// withStream asks for a stream where the SDK does not decode one.
func withStream[T any, P interface {
	*T
	SetExtraFields(map[string]any)
}](params T) any {
	P(&params).SetExtraFields(map[string]any{"stream": true})
	return params
}

// raw returns a call that reads an answer's bytes as they come.
func raw(path string, request func(user string) any) func(context.Context, openai.Client, string) (any, error) {
	return func(ctx context.Context, client openai.Client, user string) (any, error) {
		var answer *http.Response
		if err := client.Post(ctx, path, request(user), &answer); err != nil {
			return nil, err
		}
		defer func() { _ = answer.Body.Close() }()
		data, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		return value{"bytes": len(data), "sha256": hex.EncodeToString(sum[:])}, nil
	}
}
