package eventstream

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// This file reads a stream the plain way, all of it at once with encoding/json, to
// hold the Watcher against.

// readEvents returns the events of a stream, as the HTML standard has them but for
// a data-less one named error, and the lines of one that lacks its blank line.
func readEvents(stream []byte) ([]Event, []string) {
	var events []Event
	var rest []string
	offset := int64(0)
	if after, ok := bytes.CutPrefix(stream, []byte(mark)); ok {
		stream, offset = after, int64(len(mark))
	}
	for len(stream) > 0 {
		end := bytes.IndexAny(stream, "\r\n")
		if end < 0 {
			return events, append(rest, string(stream))
		}
		text := string(stream[:end])
		next := end + 1
		at := offset + int64(next)
		if stream[end] == '\r' && next < len(stream) && stream[next] == '\n' {
			next++
		}
		stream, offset = stream[next:], offset+int64(next)
		if text != "" {
			rest = append(rest, text)
			continue
		}
		if e, ok := readEvent(rest); ok {
			e.End = at
			events = append(events, e)
		}
		rest = nil
	}
	return events, rest
}

func readEvent(lines []string) (Event, bool) {
	var e Event
	var data []string
	for _, text := range lines {
		field, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.Name = value
		case "data":
			data = append(data, value)
		}
	}
	e.Data = []byte(strings.Join(data, "\n"))
	return e, data != nil || e.Name == "error"
}

// reference is what a Watcher should say of a stream's events.
func reference(d endpoint.Dialect, events []Event) report {
	var r report
	all := map[int]bool{}        // choices by index: finished or not
	claimed := map[int]bool{}    // whose last chunk with content or an end had an end
	counts := map[string]int64{} // of all usages, by name
	stopped := false
	for i, e := range events {
		var data any
		_ = json.Unmarshal(e.Data, &data)
		if list, ok := data.([]any); ok {
			data = nil
			for _, element := range list {
				if o, ok := element.(map[string]any); ok {
					data = o
				}
			}
		}
		o, _ := data.(map[string]any)
		words := []string{e.Name}
		if s, ok := o["type"].(string); ok {
			words = append(words, s)
		}
		is := func(all ...string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(all, w) })
		}
		failed := is("error", "response.error", "response.failed") || o["object"] == "error" || o["event_type"] == "error" || truthy(o["error"])
		list, isList := o["choices"].([]any)
		quiet := true
		now := map[int][2]bool{} // of this event: content, end
		for nth, choice := range list {
			if c, ok := choice.(map[string]any); ok {
				if n, ok := count(c["index"]); ok {
					nth = int(n)
				}
				finish := classify.FinishOf([]byte(reasonOf(c["finish_reason"])))
				failed = failed || finish == classify.Aborted
				content, other := says(c)
				quiet = quiet && !content && !other && finish == classify.Running
				now[nth] = [2]bool{now[nth][0] || content, now[nth][1] || finish != classify.Running}
			}
		}
		for nth, is := range now {
			content, end := is[0], is[1]
			switch {
			case content && end:
				all[nth], claimed[nth] = !claimed[nth], true
			case content || end:
				all[nth], claimed[nth] = end, end
			default:
				all[nth] = all[nth] || false
			}
		}
		stop := ""
		if inner, ok := o["delta"].(map[string]any); ok {
			stop = reasonOf(inner["stop_reason"])
		}
		reason := classify.FinishOf([]byte(stop))
		failed = failed || reason == classify.Aborted
		stopped = (stopped || reason != classify.Running) && !is("content_block_start", "content_block_delta")
		lost := false
		for _, holder := range []any{o["response"], o["message"], o["x_groq"]} {
			h, _ := holder.(map[string]any)
			lost = lost || h["status"] == "failed"
		}
		r.events++
		if n, ok := count(o["sequence_number"]); ok {
			r.next = n + 1
		}
		for _, holder := range []any{data, o["response"], o["message"], o["x_groq"]} {
			h, _ := holder.(map[string]any)
			u, _ := h["usage"].(map[string]any)
			for name, n := range u {
				if n, ok := n.(float64); ok {
					counts[name] = int64(n)
				}
				if name == "completion_tokens" || name == "output_tokens" {
					r.completion = counts[name]
				}
			}
		}
		if all, ok := counts["prompt_tokens"]; ok {
			r.prompt = all
		} else if fresh, ok := counts["input_tokens"]; ok {
			r.prompt = fresh + counts["cache_read_input_tokens"] + counts["cache_creation_input_tokens"]
		}
		isDone := bytes.HasPrefix(e.Data, []byte("[DONE]"))
		early := is("ping", "message_start", "content_block_start", "response.created", "response.queued", "response.in_progress",
			"response.output_item.added", "response.content_part.added", "response.reasoning_summary_part.added")
		_, isObject := o["type"].(string)
		if byChoice(d) && e.Name == "" && json.Valid(e.Data) && !isObject && quiet && (isList || len(o) == 0) {
			early = true
		}
		end, last := false, false
		switch d {
		case endpoint.Responses:
			end = is("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.canceled", "response.done")
		case endpoint.Messages:
			last = is("message_stop")
		case endpoint.Images:
			end = is("image_generation.completed", "image_edit.completed")
		case endpoint.Transcriptions:
			end = is("transcript.text.done")
		case endpoint.Speech:
			last = is("speech.audio.done")
		case endpoint.Assistants:
			last = is("done")
		}
		failed = failed || lost && (end || last || isDone)
		if failed && r.failure == 0 {
			r.failure = i + 1
		}
		if r.first == 0 && (failed || end || last || isDone || !early && len(e.Data) > 0) {
			r.first = i + 1
		}
		r.done = r.done || end || last || isDone
		r.finished = r.finished || last || isDone && d != endpoint.Unknown
	}
	r.done = r.done || stopped && d == endpoint.Messages
	if d == endpoint.Chat || d == endpoint.Completions {
		finished := len(all) > 0
		for _, f := range all {
			finished = finished && f
		}
		r.done = r.done || finished
	}
	return r
}

// reasonOf returns a reason to end, which may be the type of an object.
func reasonOf(v any) string {
	if o, ok := v.(map[string]any); ok {
		v = o["type"]
	}
	reason, _ := v.(string)
	return reason
}

// says tells whether a choice has content or a thought, and whether anything else that
// is not empty.
func says(choice map[string]any) (bool, bool) {
	content, other := truthy(choice["text"]), truthy(choice["message"])
	for _, name := range []string{"delta", "content"} {
		switch v := choice[name].(type) {
		case map[string]any:
			c, o := saysDelta(v)
			content, other = content || c, other || o
		default:
			_, list := v.([]any)
			content = content || !list && truthy(v)
		}
	}
	return content, other
}

func saysDelta(delta map[string]any) (bool, bool) {
	content, other := false, false
	for name, v := range delta {
		list, isList := v.([]any)
		switch m := saysMember([]byte(name)); {
		case m == memberParts && isList:
			for _, part := range list {
				if o, ok := part.(map[string]any); ok {
					c, x := saysDelta(o)
					content, other = content || c, other || x
				}
			}
		case m == memberParts, m == memberContent, m == memberThought:
			content = content || truthy(v)
		case m == memberExtra:
			other = other || truthy(v)
		}
	}
	return content, other
}

// count returns v if it is a number that counts something.
func count(v any) (int64, bool) {
	n, ok := v.(float64)
	if n < 0 || n != math.Trunc(n) || n > 1e18 {
		return 0, false
	}
	return int64(n), ok
}

// truthy is what Python takes for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	default:
		return false
	}
}
