package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"outrigger/internal/sim/reply"
)

// batch is a batch job. It has no goroutine: its state follows from the time.
type batch struct {
	id, input, endpoint, window string
	metadata                    json.RawMessage
	created                     time.Time
	lines                       int
	canceled                    time.Time // zero = not
	output                      string    // file id, made when the batch is first seen completed
}

type batchRequest struct {
	InputFileID      string          `json:"input_file_id"`
	Endpoint         string          `json:"endpoint"`
	CompletionWindow string          `json:"completion_window"`
	Metadata         json.RawMessage `json:"metadata"`
}

// createBatch is POST batches.
func (c *Request) createBatch() (Work, *reply.Error) {
	var q batchRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	switch {
	case len(q.Metadata) > maxMetadata:
		return nil, errMetadata
	case q.InputFileID == "":
		return nil, reply.Missing("input_file_id")
	case q.Endpoint == "":
		return nil, reply.Missing("endpoint")
	case q.CompletionWindow == "":
		return nil, reply.Missing("completion_window")
	}
	input, ok := c.api.files.find(q.InputFileID)
	if !ok {
		return nil, reply.Invalid("input_file_id", "No such File object: "+q.InputFileID)
	}
	return func() reply.Answer {
		b := &batch{
			id: c.api.ids.Next("batch_"), input: q.InputFileID, endpoint: q.Endpoint, window: q.CompletionWindow,
			metadata: q.Metadata, created: time.Now(), lines: len(batchLines(input)),
		}
		object := c.api.batchObject(b, b.created)
		c.api.batches.add(b.id, b)
		a := reply.JSON(http.StatusOK, object)
		a.Object = b.id
		return a
	}, nil
}

// listBatches is GET batches.
func (c *Request) listBatches() (Work, *reply.Error) {
	now := time.Now()
	return listing(c, c.api.batches, func(*batch) bool { return true }, func(b *batch) reply.Object {
		var object reply.Object
		c.api.batches.update(b.id, func(b *batch) { object = c.api.batchObject(b, now) })
		return object
	})
}

// getBatch is GET batches/{id}.
func (c *Request) getBatch() (Work, *reply.Error) {
	return c.onBatch(func(*batch) {})
}

// cancelBatch is POST batches/{id}/cancel.
func (c *Request) cancelBatch() (Work, *reply.Error) {
	if _, err := c.body(); err != nil {
		return nil, err
	}
	return c.onBatch(func(b *batch) {
		if now := time.Now(); b.canceled.IsZero() && now.Before(b.created.Add(c.api.cfg.JobTime)) {
			b.canceled = now
		}
	})
}

// onBatch changes the batch that the path names and shows it.
func (c *Request) onBatch(change func(*batch)) (Work, *reply.Error) {
	missing := reply.NotFound("No batch found with id '" + c.args[0] + "'.")
	if _, ok := c.api.batches.find(c.args[0]); !ok {
		return nil, missing
	}
	return func() reply.Answer {
		var object reply.Object
		if !c.api.batches.update(c.args[0], func(b *batch) {
			change(b)
			object = c.api.batchObject(b, time.Now())
		}) {
			return c.ErrorAnswer(missing)
		}
		return reply.JSON(http.StatusOK, object)
	}, nil
}

// batchObject shows the batch at a time: validating for the first tenth of
// JobTime, then in_progress, finalizing for the last tenth, completed after it;
// a canceled one is cancelling for a tenth first. The caller holds the store's lock,
// or is the only one that knows the batch.
func (s *API) batchObject(b *batch, now time.Time) reply.Object {
	all := s.cfg.JobTime
	started, finishing, done := b.created.Add(all/10), b.created.Add(all*9/10), b.created.Add(all)
	o := reply.Object{
		"id", b.id, "object", "batch", "status", "validating", "endpoint", b.endpoint, "errors", nil, "input_file_id", b.input,
		"completion_window", b.window, "output_file_id", nil, "error_file_id", nil, "created_at", b.created.Unix(),
		"in_progress_at", nil, "expires_at", b.created.Add(24 * time.Hour).Unix(), "finalizing_at", nil, "completed_at", nil,
		"failed_at", nil, "expired_at", nil, "cancelling_at", nil, "cancelled_at", nil, "metadata", b.metadata,
	}
	completed := 0
	reached := func(at time.Time, field, status string) bool {
		if now.Before(at) {
			return false
		}
		o.Put(field, at.Unix())
		o.Put("status", status)
		return true
	}
	switch {
	case !b.canceled.IsZero():
		reached(b.canceled, "cancelling_at", "cancelling")
		reached(b.canceled.Add(all/10), "cancelled_at", "cancelled")
	case reached(started, "in_progress_at", "in_progress"):
		completed = int(int64(b.lines) * int64(min(now.Sub(started), finishing.Sub(started))) / int64(max(1, finishing.Sub(started))))
		reached(finishing, "finalizing_at", "finalizing")
		if reached(done, "completed_at", "completed") {
			completed = b.lines
			o.Put("output_file_id", s.batchOutput(b, done))
		}
	}
	o.Put("request_counts", reply.Object{"total", b.lines, "completed", completed, "failed", 0})
	return o
}

// batchOutput makes the output file once, and returns its id.
func (s *API) batchOutput(b *batch, done time.Time) string {
	if b.output != "" {
		return b.output
	}
	b.output = s.ids.Next("file-")
	var out bytes.Buffer
	if input, ok := s.files.find(b.input); ok {
		for _, id := range batchLines(input) {
			line, err := json.Marshal(reply.Object{
				"id", s.ids.Next("batch_req_"), "custom_id", id, "error", nil,
				"response",
				reply.Object{
					"status_code", http.StatusOK, "request_id", s.ids.Next("req_"),
					"body",
					reply.Object{
						"id", s.ids.Next("chatcmpl-"), "object", "chat.completion", "created", done.Unix(), "model", "simulated",
						"choices",
						[]any{reply.Object{
							"index", 0, "finish_reason", "stop", "logprobs", nil,
							"message",
							reply.Object{"role", "assistant", "content", reply.Words(s.cfg.Tokens), "refusal", nil},
						}},
						"usage",
						reply.Object{"prompt_tokens", 8, "completion_tokens", s.cfg.Tokens, "total_tokens", 8 + s.cfg.Tokens},
					},
				},
			})
			if err == nil {
				out.Write(append(line, '\n'))
			}
		}
	}
	s.files.keep(&file{
		id: b.output, purpose: "batch_output", created: done,
		content: &fileContent{name: b.id + "_output.jsonl", size: int64(out.Len()), data: out.Bytes()},
	})
	return b.output
}

// batchLines returns the custom_id of each request in an input file.
func batchLines(f *file) []string {
	var ids []string
	lines := bufio.NewScanner(bytes.NewReader(f.content.data))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var line struct {
			CustomID string `json:"custom_id"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			ids = append(ids, line.CustomID)
		}
	}
	return ids
}
