// Command bifrost serves Bifrost's core over HTTP, so that make compare can put it beside
// Outrigger: chat completions, whole and streamed, embeddings, and uploads of files. It uses
// fasthttp, as Bifrost's own server does.
//
//	bifrost LISTEN UPSTREAM RETRIES TIMEOUT
//
// LISTEN and UPSTREAM are host:port and a URL without /v1, RETRIES a count, TIMEOUT seconds.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	bifrost "github.com/maximhq/bifrost/core"
	"github.com/maximhq/bifrost/core/providers/openai"
	"github.com/maximhq/bifrost/core/schemas"
	"github.com/valyala/fasthttp"
)

// forwarded ties the attempts of one call together in the simulator's ledger.
const forwarded = "X-Sim-Request"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%d arguments, want LISTEN UPSTREAM RETRIES TIMEOUT", len(args))
	}
	retries, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	timeout, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	core, err := bifrost.Init(context.Background(), schemas.BifrostConfig{
		Account: account{url: args[1], retries: retries, timeout: timeout},
		Logger:  bifrost.NewDefaultLogger(schemas.LogLevelError),
	})
	if err != nil {
		return err
	}
	server := &fasthttp.Server{Handler: shim{core}.serve, MaxRequestBodySize: 64 << 20}
	return server.ListenAndServe(args[0])
}

// account is one provider with one key.
type account struct {
	url              string
	retries, timeout int
}

func (account) GetConfiguredProviders() ([]schemas.ModelProvider, error) {
	return []schemas.ModelProvider{schemas.OpenAI}, nil
}

func (account) GetKeysForProvider(context.Context, schemas.ModelProvider) ([]schemas.Key, error) {
	yes := true
	return []schemas.Key{{
		ID: "bench", Name: "bench", Value: *schemas.NewSecretVar("sk-bench"),
		Models: schemas.WhiteList{"*"}, Weight: 1, Enabled: &yes, UseForBatchAPI: &yes,
	}}, nil
}

func (a account) GetConfigForProvider(schemas.ModelProvider) (*schemas.ProviderConfig, error) {
	config := &schemas.ProviderConfig{NetworkConfig: schemas.DefaultNetworkConfig, ConcurrencyAndBufferSize: schemas.DefaultConcurrencyAndBufferSize}
	config.NetworkConfig.BaseURL = a.url
	config.NetworkConfig.MaxRetries = a.retries
	config.NetworkConfig.DefaultRequestTimeoutInSeconds = a.timeout
	config.NetworkConfig.AllowPrivateNetwork = true
	return config, nil
}

type shim struct{ core *bifrost.Bifrost }

func (s shim) serve(r *fasthttp.RequestCtx) {
	ctx, cancel := schemas.NewBifrostContextWithCancel(context.Background())
	if id := r.Request.Header.Peek(forwarded); len(id) > 0 {
		ctx.SetValue(schemas.BifrostContextKeyExtraHeaders, map[string][]string{forwarded: {string(id)}})
	}
	switch string(r.Path()) {
	case "/v1/chat/completions":
		s.chat(r, ctx, cancel)
		return // which cancels when a stream has ended
	case "/v1/embeddings":
		s.embed(r, ctx)
	case "/v1/files":
		s.upload(r, ctx)
	default:
		r.Error(`{"error":{"message":"not served by this shim"}}`, fasthttp.StatusNotFound)
	}
	cancel()
}

func (s shim) chat(r *fasthttp.RequestCtx, ctx *schemas.BifrostContext, cancel context.CancelFunc) {
	var asked openai.OpenAIChatRequest
	if err := json.Unmarshal(r.PostBody(), &asked); err != nil {
		cancel()
		r.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	request := asked.ToBifrostChatRequest(ctx)
	request.Provider = schemas.OpenAI
	if asked.Stream == nil || !*asked.Stream {
		defer cancel()
		answer, failure := s.core.ChatCompletionRequest(ctx, request)
		reply(r, answer, failure)
		return
	}
	chunks, failure := s.core.ChatCompletionStreamRequest(ctx, request)
	if failure != nil {
		cancel()
		reply(r, nil, failure)
		return
	}
	r.SetContentType("text/event-stream")
	r.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer cancel()
		relay(w, chunks)
	})
}

// relay writes what comes as events, and [DONE] after a stream without an error, as
// Bifrost's server does.
func relay(w *bufio.Writer, chunks chan *schemas.BifrostStreamChunk) {
	failed := false
	for chunk := range chunks {
		failed = failed || chunk.BifrostError != nil
		text, err := json.Marshal(chunk)
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
		if w.Flush() != nil {
			for range chunks { // its writer would wait for ever
				continue
			}
			return
		}
	}
	if !failed {
		_, _ = w.WriteString("data: [DONE]\n\n")
	}
	_ = w.Flush()
}

func (s shim) embed(r *fasthttp.RequestCtx, ctx *schemas.BifrostContext) {
	var asked schemas.BifrostEmbeddingRequest
	if err := json.Unmarshal(r.PostBody(), &asked); err != nil {
		r.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	asked.Provider = schemas.OpenAI
	answer, failure := s.core.EmbeddingRequest(ctx, &asked)
	reply(r, answer, failure)
}

func (s shim) upload(r *fasthttp.RequestCtx, ctx *schemas.BifrostContext) {
	head, err := r.FormFile("file")
	if err != nil {
		r.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	file, err := head.Open()
	if err != nil {
		r.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(file)
	if err != nil {
		r.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	answer, failure := s.core.FileUploadRequest(ctx, &schemas.BifrostFileUploadRequest{
		Provider: schemas.OpenAI, File: content, Filename: head.Filename, Purpose: schemas.FilePurpose(r.FormValue("purpose")),
	})
	reply(r, answer, failure)
}

// reply writes the answer, or the failure with its status.
func reply(r *fasthttp.RequestCtx, answer any, failure *schemas.BifrostError) {
	if failure != nil {
		r.SetStatusCode(fasthttp.StatusInternalServerError)
		if failure.StatusCode != nil {
			r.SetStatusCode(*failure.StatusCode)
		}
		answer = failure
	}
	text, err := json.Marshal(answer)
	if err != nil {
		r.Error(err.Error(), fasthttp.StatusInternalServerError)
		return
	}
	r.SetContentType("application/json")
	r.SetBody(text)
}
