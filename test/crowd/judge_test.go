package crowd

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"outrigger/internal/sim/ledger"
)

// judge holds every answer to the contract, with the upstream's own record of what
// it did, and prints what there was of each.
func (s *storm) judge(entries map[string][]ledger.Entry) {
	counts, complaints := map[string]int{}, newComplaints(s.t)
	for _, c := range s.calls {
		var last ledger.Entry
		if all := entries[c.id]; len(all) > 0 {
			last = all[len(all)-1]
		}
		what, err := c.judge(last)
		counts[what]++
		if err != nil {
			complaints.addf("%s (habit %d, HTTP/%d, took %v): %v\n  header %v\n  last attempt upstream %+v", c.id, c.habit, c.version, c.took, err, c.result.header, last)
		}
	}
	s.t.Logf("%d calls, %d of them wrong", len(s.calls), complaints.count)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		s.t.Logf("%6d %s", counts[what], what)
	}
}

// judge names how a call ended, and says what is wrong with that.
func (c call) judge(last ledger.Entry) (string, error) {
	r := c.result
	switch source := r.header.Get("X-Outrigger-Source"); {
	case c.took >= hung:
		return "hung", errors.New("the call did not end")
	case !c.habit.hears():
		return "the caller left", nil
	case r.status == 0:
		return "no answer", fmt.Errorf("no answer: %w", r.err)
	case r.header.Get("X-Outrigger-Request-Id") == "":
		return "strange", fmt.Errorf("status %d without an id", r.status)
	case source == "local":
		code, err := r.ownError()
		return strconv.Itoa(r.status) + " local " + code, err
	case source == "tripped":
		if r.err != nil || r.status < 400 || r.header.Get("X-Outrigger-Attempts") == "" {
			return "tripped", fmt.Errorf("status %d, %w", r.status, r.err)
		}
		return "tripped", nil
	case source != "upstream":
		return "strange", fmt.Errorf("source %q", source)
	case r.status >= http.StatusBadRequest:
		return "upstream's error", c.judgeRefusal(last)
	case last.Fault == "" && !bytes.Contains(r.text, []byte(last.Object)):
		return "another one's answer", fmt.Errorf("not the answer about %s: %.300s", last.Object, r.text)
	case strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream"):
		return c.judgeStream(last)
	}
	return "200 answer", c.judgeAnswer(last)
}

// judgeRefusal: an error of the upstream's passes as it came, or stands for one
// that came under status 200.
func (c call) judgeRefusal(last ledger.Entry) error {
	r := c.result
	masked := last.Status == http.StatusOK && (strings.HasPrefix(last.Fault, "row ") || strings.HasPrefix(last.Fault, "error_event"))
	if r.status != last.Status && !masked && len(r.header["X-Outrigger-Attempts"]) == 1 && r.header.Get("X-Outrigger-Attempts") == "1" {
		return fmt.Errorf("status %d, the upstream sent %d", r.status, last.Status)
	}
	if r.err != nil && !strings.HasPrefix(last.Fault, "endless_body") {
		return fmt.Errorf("an error answer that broke off: %w", r.err)
	}
	return nil
}

// judgeAnswer: an answer is whole, unless the upstream itself sent a broken one.
func (c call) judgeAnswer(last ledger.Entry) error {
	r, text := c.result, c.result.text
	if r.err != nil {
		if c.kind.name == "bytes" || last.Fault == "slow_body" {
			return nil // passed on while it came
		}
		return fmt.Errorf("an answer that is held before it is passed on broke off: %w", r.err)
	}
	switch fault := last.Fault; {
	case fault == "short_length", fault == "bad_gzip", strings.HasPrefix(fault, "row "):
		return nil
	case fault == "long_length":
		return fmt.Errorf("an answer that lacks its end came as if it were whole: %.200q", text)
	case r.header.Get("Content-Encoding") == "gzip":
		unpacked, err := gunzip(text)
		if err != nil {
			return err
		}
		text = unpacked
	}
	if c.kind.name == "bytes" {
		if n := r.header.Get("Content-Length"); n != "" && n != strconv.Itoa(len(r.text)) || len(text) == 0 {
			return fmt.Errorf("%d bytes of %s", len(r.text), n)
		}
		return nil
	}
	if !json.Valid(text) {
		return fmt.Errorf("not a whole answer: %.200q…%.200q", text, text[max(0, len(text)-200):])
	}
	return nil
}

// judgeStream: it has ended with its terminal event, or with an error of the
// upstream's own, or it was aborted and the caller told in its own language.
func (c call) judgeStream(last ledger.Entry) (string, error) {
	r, text := c.result, c.result.text
	if r.header.Get("Content-Encoding") != "" {
		unpacked, err := gunzip(text)
		if last.Fault == "gzip" && r.err == nil && (err != nil || !ended(c.kind.name, unpacked)) {
			return "packed stream", fmt.Errorf("%w; it ends with %.300q", err, unpacked[max(0, len(unpacked)-300):])
		}
		return "packed stream", nil // not watched
	}
	over, told := ended(c.kind.name, text), failed(text)
	switch {
	case r.err == nil && !over:
		return "stream", fmt.Errorf("a stream without a terminal event ended cleanly: %.500q", text[max(0, len(text)-500):])
	case r.err == nil && told:
		return "stream", fmt.Errorf("a stream that was cut, or failed, ended cleanly: %.500q", text[max(0, len(text)-500):])
	case r.err != nil && !told:
		return "stream", fmt.Errorf("an aborted stream (%w) without a word: %.500q", r.err, text[max(0, len(text)-500):])
	case r.err != nil:
		return "stream aborted, caller told", nil //nolint:nilerr // an aborted stream has to fail
	}
	return "stream complete", nil
}

// event is what an event's data may say of a stream's end.
type event struct {
	Type  string
	Error any
	Delta struct {
		StopReason string `json:"stop_reason"`
	}
	Choices []struct {
		FinishReason string `json:"finish_reason"`
		Error        any
	}
}

// events returns the data of a stream's events, as they are and read.
func events(text []byte) iter.Seq2[string, event] {
	return func(yield func(string, event) bool) {
		for line := range bytes.Lines(text) {
			data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
			if !ok {
				continue
			}
			data = bytes.TrimSpace(data)
			var e event
			_ = json.Unmarshal(data, &e)
			if !yield(string(data), e) {
				return
			}
		}
	}
}

// failed reports whether a stream has an error event, the upstream's or Outrigger's. A
// response.failed is none: it is the response's own end.
func failed(text []byte) bool {
	for _, e := range events(text) {
		if e.Error != nil || e.Type == "error" || len(e.Choices) > 0 && e.Choices[0].Error != nil {
			return true
		}
	}
	return false
}

// ended reports whether a stream has its terminal event, or an error event.
func ended(dialect string, text []byte) bool {
	if failed(text) {
		return true
	}
	for data, e := range events(text) {
		switch {
		case data == "[DONE]":
			return true
		case dialect == "chat" && len(e.Choices) > 0 && e.Choices[0].FinishReason != "":
			return true
		case dialect == "responses" && slices.Contains([]string{"response.completed", "response.incomplete", "response.failed"}, e.Type):
			return true
		case dialect == "messages" && (e.Type == "message_stop" || e.Delta.StopReason != ""):
			return true
		}
	}
	return false
}

func gunzip(text []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
