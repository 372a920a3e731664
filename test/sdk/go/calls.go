package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

const (
	model    = "gpt-4.1"
	question = "Why does a canoe need an outrigger?"
)

type value = map[string]any

var calls = map[string]func(context.Context, openai.Client) (any, error){
	"chat":          chat,
	"responses":     respond,
	"embeddings":    embeddings,
	"files":         files,
	"upload":        upload,
	"batches":       batches,
	"batch_create":  batchCreate,
	"images":        images,
	"transcription": transcription,
	"speech":        speech,
	"models":        models,
	"moderations":   moderations,
	"elsewhere":     elsewhere,
}

func chatParams() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	}
}

func chat(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Chat.Completions.New(ctx, chatParams())
	if err != nil {
		return nil, err
	}
	choice := answer.Choices[0]
	return value{"text": choice.Message.Content, "finish": choice.FinishReason, "tokens": answer.Usage.TotalTokens}, nil
}

func respond(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Responses.New(ctx, responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(question)},
	})
	if err != nil {
		return nil, err
	}
	return value{"text": answer.OutputText(), "status": answer.Status}, nil
}

func embeddings(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: openai.EmbeddingModelTextEmbedding3Small,
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"canoe", "outrigger"}},
	})
	if err != nil {
		return nil, err
	}
	return value{"vectors": len(answer.Data), "dimensions": len(answer.Data[0].Embedding)}, nil
}

func create(ctx context.Context, client openai.Client, content string) (*openai.FileObject, error) {
	return client.Files.New(ctx, openai.FileNewParams{
		File:    openai.File(strings.NewReader(content), "input.jsonl", "application/jsonl"),
		Purpose: openai.FilePurposeBatch,
	})
}

func upload(ctx context.Context, client openai.Client) (any, error) {
	made, err := create(ctx, client, `{"custom_id":"1"}`+"\n")
	if err != nil {
		return nil, err
	}
	return value{"bytes": made.Bytes}, nil
}

func files(ctx context.Context, client openai.Client) (any, error) {
	content := strings.Repeat(`{"custom_id":"1"}`+"\n", 5000)
	made, err := create(ctx, client, content)
	if err != nil {
		return nil, err
	}
	got, err := client.Files.Get(ctx, made.ID)
	if err != nil {
		return nil, err
	}
	listed := false
	pages := client.Files.ListAutoPaging(ctx, openai.FileListParams{})
	for pages.Next() {
		listed = listed || pages.Current().ID == made.ID
	}
	if pages.Err() != nil {
		return nil, pages.Err()
	}
	answer, err := client.Files.Content(ctx, made.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	back, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	gone, err := client.Files.Delete(ctx, made.ID)
	if err != nil {
		return nil, err
	}
	return value{
		"name": got.Filename, "bytes": got.Bytes, "listed": listed,
		"same": string(back) == content, "deleted": gone.Deleted,
	}, nil
}

func newBatch(ctx context.Context, client openai.Client) (*openai.Batch, error) {
	input, err := create(ctx, client, `{"custom_id":"1"}`+"\n")
	if err != nil {
		return nil, err
	}
	return client.Batches.New(ctx, openai.BatchNewParams{
		InputFileID:      input.ID,
		Endpoint:         openai.BatchNewParamsEndpointV1ChatCompletions,
		CompletionWindow: openai.BatchNewParamsCompletionWindow24h,
	})
}

func batchCreate(ctx context.Context, client openai.Client) (any, error) {
	made, err := newBatch(ctx, client)
	if err != nil {
		return nil, err
	}
	return value{"endpoint": made.Endpoint}, nil
}

func batches(ctx context.Context, client openai.Client) (any, error) {
	made, err := newBatch(ctx, client)
	if err != nil {
		return nil, err
	}
	got, err := client.Batches.Get(ctx, made.ID)
	if err != nil {
		return nil, err
	}
	listed := false
	pages := client.Batches.ListAutoPaging(ctx, openai.BatchListParams{})
	for pages.Next() {
		listed = listed || pages.Current().ID == made.ID
	}
	return value{"endpoint": got.Endpoint, "same": got.ID == made.ID, "listed": listed}, pages.Err()
}

func images(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Images.Generate(ctx, openai.ImageGenerateParams{
		Model: "gpt-image-2.5-flare", Prompt: "a canoe with an outrigger", N: openai.Int(1),
	})
	if err != nil {
		return nil, err
	}
	first := answer.Data[0]
	return value{"images": len(answer.Data), "filled": first.B64JSON != "" || first.URL != ""}, nil
}

func transcription(ctx context.Context, client openai.Client) (any, error) {
	wave := append([]byte("RIFF\x24\x00\x00\x00WAVEfmt "), make([]byte, 20000)...)
	answer, err := client.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{
		Model: openai.AudioModelGPTTranscribe,
		File:  openai.File(bytes.NewReader(wave), "speech.wav", "audio/wav"),
	})
	if err != nil {
		return nil, err
	}
	return value{"text": answer.Text}, nil
}

func speech(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Audio.Speech.New(ctx, openai.AudioSpeechNewParams{
		Model: "gpt-4o-mini-tts",
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")},
		Input: "Steady as she goes.",
	})
	if err != nil {
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

func models(ctx context.Context, client openai.Client) (any, error) {
	listed := []string{}
	pages := client.Models.ListAutoPaging(ctx)
	for pages.Next() {
		listed = append(listed, pages.Current().ID)
	}
	if pages.Err() != nil {
		return nil, pages.Err()
	}
	slices.Sort(listed)
	got, err := client.Models.Get(ctx, model)
	if err != nil {
		return nil, err
	}
	return value{"listed": listed, "got": got.ID}, nil
}

func moderations(ctx context.Context, client openai.Client) (any, error) {
	answer, err := client.Moderations.New(ctx, openai.ModerationNewParams{
		Model: openai.ModerationModelOmniModerationLatest,
		Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("A calm sea.")},
	})
	if err != nil {
		return nil, err
	}
	return value{"flagged": answer.Results[0].Flagged}, nil
}

// elsewhere asks another server than OpenAI's, by whatever way this process has to
// the outside.
func elsewhere(ctx context.Context, _ openai.Client) (any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://other.example/", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return value{"text": string(text)}, err
}
