package storm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"
)

// patience is the caller's deadline unless a storm says otherwise.
const patience = 10 * time.Minute

// Paths and models of the calls.
const (
	chatPath      = "/v1/chat/completions"
	embeddingPath = "/v1/embeddings"
	messagesPath  = "/v1/messages"
	filePath      = "/v1/files"
	listPath      = "/v1/models"

	modelName = "gpt-4o-mini"
)

// call is one request of a load.
type call struct {
	at      time.Duration // after the load's start
	path    string        // "" is chatPath
	key     string        // "" is sk-test
	model   string        // "" is modelName
	stream  bool
	tokens  int           // max_tokens, 0 is none
	timeout time.Duration // of the caller, who announces it; 0 is patience, unannounced
}

// request is the call as it is sent.
func (what call) request(ctx context.Context, id string) *http.Request {
	path, method, contentType := what.path, http.MethodPost, "application/json"
	if path == "" {
		path = chatPath
	}
	model := what.model
	if model == "" {
		model = modelName
	}
	body := map[string]any{"model": model}
	switch path {
	case embeddingPath:
		body["input"] = id
	case messagesPath:
		body["max_tokens"] = 16
		fallthrough
	default:
		body["messages"] = []map[string]string{{"role": "user", "content": id}}
	}
	if what.tokens > 0 {
		body["max_tokens"] = what.tokens
	}
	if what.stream {
		body["stream"] = true
	}
	text, _ := json.Marshal(body) // strings and numbers
	switch path {
	case listPath:
		method, text = http.MethodGet, nil
	case filePath:
		contentType, text = file(id)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:8383"+path, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	key := what.key
	if key == "" {
		key = "sk-test"
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-Sim-Request", id)
	if len(text) > 0 {
		r.Header.Set("Content-Type", contentType)
	}
	if what.timeout > 0 {
		r.Header.Set("X-Stainless-Timeout", strconv.FormatFloat(what.timeout.Seconds(), 'f', -1, 64))
	}
	return r
}

// file is an upload's form.
func file(id string) (contentType string, body []byte) { //nolint:nonamedreturns // the names tell them apart
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	_ = w.WriteField("purpose", "batch") // a bytes.Buffer takes everything
	part, _ := w.CreateFormFile("file", id+".jsonl")
	_, _ = io.WriteString(part, `{"custom_id":"`+id+`"}`)
	_ = w.Close()
	return w.FormDataContentType(), out.Bytes()
}
