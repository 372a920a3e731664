package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"

	"outrigger/internal/sim/reply"
)

type speechRequest struct {
	Model          string `json:"model"`
	Input          string `json:"input"`
	Voice          any    `json:"voice"`
	ResponseFormat string `json:"response_format"`
	StreamFormat   string `json:"stream_format"`
}

// speechTypes are the content types by response_format.
var speechTypes = map[string]string{
	"mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
}

// speech is POST audio/speech: silence, a tenth of a second for each token of the input.
func (c *Request) speech() (Work, *reply.Error) {
	var q speechRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	format := cmp.Or(q.ResponseFormat, "mp3")
	switch {
	case q.Input == "":
		return nil, reply.Missing("input")
	case q.Voice == nil:
		return nil, reply.Missing("voice")
	case speechTypes[format] == "":
		return nil, reply.Invalid("response_format", "Invalid 'response_format': expected mp3, opus, aac, flac, wav or pcm.")
	case len(q.Input) > 4096:
		return nil, reply.Invalid("input", "Invalid 'input': string too long. Expected a string with maximum length 4096.")
	}
	c.Stream = q.StreamFormat == "sse"
	c.charge([]byte(q.Input), 0, 1)
	return func() reply.Answer {
		audio := silence(format, max(1, c.estimate))
		if !c.Stream {
			return reply.Answer{Status: http.StatusOK, ContentType: speechTypes[format], Body: audio, Tokens: c.estimate}
		}
		return reply.Answer{Status: http.StatusOK, ContentType: "text/event-stream; charset=utf-8", Events: c.speechEvents(audio)}
	}, nil
}

// speechEvents cuts the audio into one delta for each token.
func (c *Request) speechEvents(audio []byte) func(emit func(reply.Event) bool) {
	return func(emit func(reply.Event) bool) {
		deltas := max(1, c.estimate)
		for i := range deltas {
			part := audio[len(audio)*i/deltas : len(audio)*(i+1)/deltas]
			data, err := json.Marshal(reply.Object{"type", "speech.audio.delta", "audio", base64.StdEncoding.EncodeToString(part)})
			if err != nil || !emit(reply.Event{Name: "speech.audio.delta", Data: data, Tokens: 1}) {
				return
			}
		}
		data, err := json.Marshal(reply.Object{"type", "speech.audio.done", "usage", reply.Object{
			"input_tokens", c.estimate, "output_tokens", deltas, "total_tokens", c.estimate + deltas,
		}})
		if err == nil {
			emit(reply.Event{Name: "speech.audio.done", Data: data})
		}
	}
}

// silence returns tenths of a second of silence: a WAV file, bare 16-bit samples, or
// MPEG frames of zeros, which stand for the other formats too.
func silence(format string, tenths int) []byte {
	const rate = 24000 // samples per second, as in OpenAI's pcm
	samples := make([]byte, 2*rate/10*tenths)
	switch format {
	case "pcm":
		return samples
	case "wav":
		var out bytes.Buffer
		out.WriteString("RIFF")
		_ = binary.Write(&out, binary.LittleEndian, uint32(36+len(samples)))
		out.WriteString("WAVEfmt ")
		for _, field := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
			_ = binary.Write(&out, binary.LittleEndian, field) // a bytes.Buffer takes everything
		}
		out.WriteString("data")
		_ = binary.Write(&out, binary.LittleEndian, uint32(len(samples)))
		out.Write(samples)
		return out.Bytes()
	default:
		frame := make([]byte, 417) // MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 26 ms
		copy(frame, "\xff\xfb\x90\x00")
		return bytes.Repeat(frame, 4*tenths)
	}
}
