package sim

import (
	"encoding/json"
	"net/http"
)

// transcribe is POST audio/transcriptions and audio/translations: the usual words.
func (c *call) transcribe() (work, *apiError) {
	form, err := c.readForm(0)
	if err != nil {
		return nil, err
	}
	if err := c.named(form.fields["model"]); err != nil {
		return nil, err
	}
	audio := form.files["file"]
	if audio == nil {
		return nil, missing("file")
	}
	c.stream = form.fields["stream"] == "true"
	c.charge(nil, 0, 1)
	c.cost.Tokens = int(audio.size / 1000) // about a token for each 30 ms of compressed speech
	return func() answer { return c.transcript(form.fields["response_format"]) }, nil
}

func (c *call) transcript(format string) answer {
	tokens, _ := c.length(0)
	text := words(tokens)
	usage := object{
		"type", "tokens", "input_tokens", c.cost.Tokens, "output_tokens", tokens, "total_tokens", c.cost.Tokens + tokens,
		"input_token_details",
		object{"text_tokens", 0, "audio_tokens", c.cost.Tokens},
	}
	plain := func(contentType, body string) answer {
		return answer{status: http.StatusOK, contentType: contentType, body: []byte(body), tokens: tokens}
	}
	switch {
	case c.stream:
		return answer{
			status: http.StatusOK, contentType: "text/event-stream; charset=utf-8",
			events: func(emit func(event) bool) { transcriptEvents(emit, tokens, usage) },
		}
	case format == "text":
		return plain("text/plain; charset=utf-8", text+"\n")
	case format == "srt":
		return plain("text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:05,000\n"+text+"\n\n")
	case format == "vtt":
		return plain("text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n"+text+"\n\n")
	}
	o := object{"text", text, "usage", usage}
	if format == "verbose_json" {
		task := "transcribe"
		if c.route.name == "audio.translations" {
			task = "translate"
		}
		o = object{
			"task", task, "language", "english", "duration", 5.0, "text", text,
			"segments",
			[]any{object{
				"id", 0, "seek", 0, "start", 0.0, "end", 5.0, "text", text, "tokens",
				[]int{},
				"temperature", 0.0,
				"avg_logprob", -0.2, "compression_ratio", 1.1, "no_speech_prob", 0.01,
			}},
			"usage",
			object{"type", "duration", "seconds", 5},
		}
	}
	a := jsonAnswer(http.StatusOK, o)
	a.tokens = tokens
	return a
}

func transcriptEvents(emit func(event) bool, tokens int, usage object) {
	send := func(name string, n int, o object) bool {
		data, err := json.Marshal(append(object{"type", name}, o...))
		return err == nil && emit(event{name: name, data: data, tokens: n})
	}
	for i := range tokens {
		if !send("transcript.text.delta", 1, object{"delta", word(i)}) {
			return
		}
	}
	send("transcript.text.done", 0, object{"text", words(tokens), "usage", usage})
}
