package api

import (
	"encoding/json"
	"net/http"

	"outrigger/internal/sim/reply"
)

// transcribe is POST audio/transcriptions and audio/translations: the usual words.
func (c *Request) transcribe() (Work, *reply.Error) {
	form, err := c.readForm(0)
	if err != nil {
		return nil, err
	}
	if err := c.named(form.fields["model"]); err != nil {
		return nil, err
	}
	audio := form.files["file"]
	if audio == nil {
		return nil, reply.Missing("file")
	}
	c.Stream = form.fields["stream"] == "true"
	c.charge(nil, 0, 1)
	c.Cost.Tokens = int(audio.size / 1000) // about a token for each 30 ms of compressed speech
	return func() reply.Answer { return c.transcript(form.fields["response_format"]) }, nil
}

func (c *Request) transcript(format string) reply.Answer {
	tokens, _ := c.length(0)
	text := reply.Words(tokens)
	usage := reply.Object{
		"type", "tokens", "input_tokens", c.Cost.Tokens, "output_tokens", tokens, "total_tokens", c.Cost.Tokens + tokens,
		"input_token_details",
		reply.Object{"text_tokens", 0, "audio_tokens", c.Cost.Tokens},
	}
	plain := func(contentType, body string) reply.Answer {
		return reply.Answer{Status: http.StatusOK, ContentType: contentType, Body: []byte(body), Tokens: tokens}
	}
	switch {
	case c.Stream:
		return reply.Answer{
			Status: http.StatusOK, ContentType: "text/event-stream; charset=utf-8",
			Events: func(emit func(reply.Event) bool) { transcriptEvents(emit, tokens, usage) },
		}
	case format == "text":
		return plain("text/plain; charset=utf-8", text+"\n")
	case format == "srt":
		return plain("text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:05,000\n"+text+"\n\n")
	case format == "vtt":
		return plain("text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n"+text+"\n\n")
	}
	o := reply.Object{"text", text, "usage", usage}
	if format == "verbose_json" {
		task := "transcribe"
		if c.Route.Name == "audio.translations" {
			task = "translate"
		}
		o = reply.Object{
			"task", task, "language", "english", "duration", 5.0, "text", text,
			"segments",
			[]any{reply.Object{
				"id", 0, "seek", 0, "start", 0.0, "end", 5.0, "text", text, "tokens",
				[]int{},
				"temperature", 0.0,
				"avg_logprob", -0.2, "compression_ratio", 1.1, "no_speech_prob", 0.01,
			}},
			"usage",
			reply.Object{"type", "duration", "seconds", 5},
		}
	}
	a := reply.JSON(http.StatusOK, o)
	a.Tokens = tokens
	return a
}

func transcriptEvents(emit func(reply.Event) bool, tokens int, usage reply.Object) {
	send := func(name string, n int, o reply.Object) bool {
		data, err := json.Marshal(append(reply.Object{"type", name}, o...))
		return err == nil && emit(reply.Event{Name: name, Data: data, Tokens: n})
	}
	for i := range tokens {
		if !send("transcript.text.delta", 1, reply.Object{"delta", reply.Word(i)}) {
			return
		}
	}
	send("transcript.text.done", 0, reply.Object{"text", reply.Words(tokens), "usage", usage})
}
