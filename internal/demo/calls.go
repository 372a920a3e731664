package demo

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// play makes all calls of the scene at once and notes on s how each ended.
func (scene Scene) play(ctx context.Context, c *client, s *Score) {
	s.begin(time.Now())
	var wg sync.WaitGroup
	for i := range scene.total {
		wg.Go(func() {
			r := scene.call(ctx, c, i)
			s.end(time.Now(), r)
		})
	}
	wg.Wait()
	s.finish(time.Now())
}

// result is how one call ended, as an app sees it.
type result uint8

const (
	complete result = iota // all of the answer
	told                   // a failure, and the app was told
	silent                 // a stream that was cut and looks complete to the app
)

func (c *client) chat(ctx context.Context, id, model string, stream bool) result {
	body := `{"model":"` + model + `","stream":` + strconv.FormatBool(stream) +
		`,"messages":[{"role":"user","content":"call ` + id + `"}]}`
	resp, err := c.post(ctx, id, chatPath, "application/json", []byte(body))
	if err != nil {
		return told
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		return told
	case !stream:
		return complete
	case strings.Contains(string(text), `data: {"error":`):
		return told // an error event: the SDKs raise it
	case !strings.Contains(string(text), "data: [DONE]"):
		return silent // a clean end: the SDKs take it for one
	}
	return complete
}

func (c *client) upload(ctx context.Context, id string) result {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("purpose", "batch")
	part, _ := w.CreateFormFile("file", id+".jsonl") // a bytes.Buffer takes everything
	_, _ = io.WriteString(part, `{"custom_id":"`+id+`"}`)
	_ = w.Close()
	resp, err := c.post(ctx, id, filePath, w.FormDataContentType(), body.Bytes())
	if err != nil {
		return told
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return told
	}
	return complete
}
