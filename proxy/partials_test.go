package proxy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrigger/proxy/response"
	"outrigger/proxy/settings"
)

// asked makes a request with these fields, as JSON or as a form with a file.
func (g *rig) asked(path string, form bool, fields map[string]any) *http.Request {
	g.t.Helper()
	if !form {
		body, _ := json.Marshal(fields)
		return g.request(http.MethodPost, path, string(body))
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, _ := w.CreateFormFile("file", "sound.wav")
	_, _ = part.Write(bytes.Repeat([]byte{0, 1, 2, 3}, 10_000))
	for name, value := range fields {
		_ = w.WriteField(name, fmt.Sprint(value))
	}
	_ = w.Close()
	r := g.request(http.MethodPost, path, b.String())
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

// partials are streams whose events are large, or whose requests are forms.
func partials() map[string]struct {
	path   string
	form   bool
	fields map[string]any
	events []string
	ends   int // the first event after which the stream may end
} {
	picture := func(kind string, size int) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q,\"b64_json\":%q,\"partial_image_index\":0}\n\n", kind, kind,
			base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff, 0, 0x7f}, size/4)))
	}
	transcript := func(kind, text string) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q,\"delta\":%q,\"text\":%q}\n\n", kind, kind, text, text)
	}
	const made, edited = "image_generation", "image_edit"
	return map[string]struct {
		path   string
		form   bool
		fields map[string]any
		events []string
		ends   int
	}{
		"an image in parts": {"/v1/images/generations", false, map[string]any{"model": "gpt-image-1", "prompt": "x", "stream": true, "partial_images": 2}, []string{
			picture(made+".partial_image", 3<<20), picture(made+".partial_image", 3<<20), picture(made+".completed", 5<<20),
		}, 2},
		"two images": {"/v1/images/generations", false, map[string]any{"model": "gpt-image-1", "prompt": "x", "stream": true, "n": 2}, []string{
			picture(made+".completed", 1000), picture(made+".partial_image", 1000), picture(made+".completed", 1000),
		}, 2},
		"an edit": {"/v1/images/edits", true, map[string]any{"model": "gpt-image-1", "prompt": "x", "stream": true}, []string{
			picture(edited+".partial_image", 1<<20), picture(edited+".completed", 1<<20),
		}, 1},
		"two edits": {"/v1/images/edits", true, map[string]any{"model": "gpt-image-1", "prompt": "x", "stream": true, "n": 2}, []string{
			picture(edited+".completed", 1000), picture(edited+".completed", 1000),
		}, 1},
		"a transcript": {"/v1/audio/transcriptions", true, map[string]any{"model": "gpt-4o-transcribe", "stream": true}, []string{
			transcript("transcript.text.delta", "I"), transcript("transcript.text.delta", " see"), transcript("transcript.text.done", "I see"),
		}, 2},
		"a transcript by speakers": {"/v1/audio/transcriptions", true, map[string]any{"model": "gpt-4o-transcribe-diarize", "stream": true}, []string{
			transcript("transcript.text.segment", "I"), transcript("transcript.text.segment", "see"), transcript("transcript.text.done", "I see"),
		}, 2},
		"speech": {"/v1/audio/speech", false, map[string]any{"model": "gpt-4o-mini-tts", "input": "x", "stream_format": "sse"}, []string{
			transcript("speech.audio.delta", strings.Repeat("UklGR", 100_000)), transcript("speech.audio.done", ""),
		}, 1},
	}
}

// An image, a transcript or a sound that comes in events passes byte for byte, and is
// whole only after its last one, wherever it is cut.
func TestPartsOfImagesAndTranscriptsAreNotTheWhole(t *testing.T) {
	for name, tt := range partials() {
		whole := strings.Join(tt.events, "")
		cuts := map[string]int{"not at all": len(whole)}
		at := 0
		for i, event := range tt.events {
			if i > 0 {
				cuts[fmt.Sprintf("before event %d", i+1)] = at
			}
			cuts[fmt.Sprintf("inside event %d", i+1)] = at + len(event)/2
			at += len(event)
		}
		for where, cut := range cuts {
			for how, end := range map[string]func(){"clean": clean, "broken": broken} {
				t.Run(name+"/"+where+"/"+how, func(t *testing.T) {
					g := newRig(t, streamOf(whole[:cut], end), func(c *settings.Config) { c.Retry.Max = 0 })
					resp, err := g.client.Do(g.asked(tt.path, tt.form, tt.fields))
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					if cut == len(whole) {
						if string(body) != whole || err != nil {
							t.Errorf("got %d of %d bytes, %v", len(body), len(whole), err)
						}
						return
					}
					if cut < min(len(tt.events[0]), response.HoldAnswer) { // nothing was passed on
						if resp.StatusCode != http.StatusBadGateway || errorCode(t, string(body)) != "upstream_broke" {
							t.Errorf("got %d %.200s", resp.StatusCode, body)
						}
						return
					}
					rest, ok := strings.CutPrefix(string(body), whole[:cut])
					if !ok || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(rest, `"code":"stream_interrupted"`) || strings.Contains(rest, "event:") {
						t.Errorf("got %d bytes, %v, and then %.300s", len(body), err, rest)
					}
				})
			}
		}
	}
}

// What is asked for with n is waited for, also when it is asked for in a form.
func TestAFormsNumberOfImagesIsKnown(t *testing.T) {
	tt := partials()["two edits"]
	v := newConversation()
	g := newRig(t, v.script, func(c *settings.Config) { c.Timeouts.StreamIdle = time.Minute })
	go func() { v.say <- tt.events[0] }()
	resp, err := g.client.Do(g.asked(tt.path, tt.form, tt.fields))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, int64(len(tt.events[0]))); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // in the middle
	eventually(t, "the end", func() bool { return strings.Contains(g.log.String(), `"msg":"request"`) })
	if log := g.log.String(); !strings.Contains(log, `"outcome":"canceled"`) {
		t.Errorf("one of two images was taken for all: %s", log)
	}
}
