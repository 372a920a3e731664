package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"time"
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
func (c *call) createBatch() (work, *apiError) {
	var q batchRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	switch {
	case len(q.Metadata) > maxMetadata:
		return nil, errMetadata
	case q.InputFileID == "":
		return nil, missing("input_file_id")
	case q.Endpoint == "":
		return nil, missing("endpoint")
	case q.CompletionWindow == "":
		return nil, missing("completion_window")
	}
	input, ok := c.sim.files.find(q.InputFileID)
	if !ok {
		return nil, invalid("input_file_id", "No such File object: "+q.InputFileID)
	}
	return func() answer {
		b := &batch{
			id: c.sim.ids.next("batch_"), input: q.InputFileID, endpoint: q.Endpoint, window: q.CompletionWindow,
			metadata: q.Metadata, created: time.Now(), lines: len(batchLines(input)),
		}
		object := c.sim.batchObject(b, b.created)
		c.sim.batches.add(b.id, b)
		a := jsonAnswer(http.StatusOK, object)
		a.object = b.id
		return a
	}, nil
}

// listBatches is GET batches.
func (c *call) listBatches() (work, *apiError) {
	now := time.Now()
	return listing(c, c.sim.batches, func(*batch) bool { return true }, func(b *batch) object {
		var object object
		c.sim.batches.update(b.id, func(b *batch) { object = c.sim.batchObject(b, now) })
		return object
	})
}

// getBatch is GET batches/{id}.
func (c *call) getBatch() (work, *apiError) {
	return c.onBatch(func(*batch) {})
}

// cancelBatch is POST batches/{id}/cancel.
func (c *call) cancelBatch() (work, *apiError) {
	if _, err := c.body(); err != nil {
		return nil, err
	}
	return c.onBatch(func(b *batch) {
		if now := time.Now(); b.canceled.IsZero() && now.Before(b.created.Add(c.sim.cfg.JobTime)) {
			b.canceled = now
		}
	})
}

// onBatch changes the batch that the path names and shows it.
func (c *call) onBatch(change func(*batch)) (work, *apiError) {
	missing := notFound("No batch found with id '" + c.args[0] + "'.")
	if _, ok := c.sim.batches.find(c.args[0]); !ok {
		return nil, missing
	}
	return func() answer {
		var object object
		if !c.sim.batches.update(c.args[0], func(b *batch) {
			change(b)
			object = c.sim.batchObject(b, time.Now())
		}) {
			return missing.answer(c)
		}
		return jsonAnswer(http.StatusOK, object)
	}, nil
}

// batchObject shows the batch at a time: validating for the first tenth of
// JobTime, then in_progress, finalizing for the last tenth, completed after it;
// a canceled one is cancelling for a tenth first. The caller holds the store's lock,
// or is the only one that knows the batch.
func (s *Sim) batchObject(b *batch, now time.Time) object {
	all := s.cfg.JobTime
	started, finishing, done := b.created.Add(all/10), b.created.Add(all*9/10), b.created.Add(all)
	o := object{
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
		o.put(field, at.Unix())
		o.put("status", status)
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
			o.put("output_file_id", s.batchOutput(b, done))
		}
	}
	o.put("request_counts", object{"total", b.lines, "completed", completed, "failed", 0})
	return o
}

// batchOutput makes the output file once, and returns its id.
func (s *Sim) batchOutput(b *batch, done time.Time) string {
	if b.output != "" {
		return b.output
	}
	b.output = s.ids.next("file-")
	var out bytes.Buffer
	if input, ok := s.files.find(b.input); ok {
		for _, id := range batchLines(input) {
			line, err := json.Marshal(object{
				"id", s.ids.next("batch_req_"), "custom_id", id, "error", nil,
				"response",
				object{
					"status_code", http.StatusOK, "request_id", s.ids.next("req_"),
					"body",
					object{
						"id", s.ids.next("chatcmpl-"), "object", "chat.completion", "created", done.Unix(), "model", "simulated",
						"choices",
						[]any{object{
							"index", 0, "finish_reason", "stop", "logprobs", nil,
							"message",
							object{"role", "assistant", "content", words(s.cfg.Tokens), "refusal", nil},
						}},
						"usage",
						object{"prompt_tokens", 8, "completion_tokens", s.cfg.Tokens, "total_tokens", 8 + s.cfg.Tokens},
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
