package sim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/ledger"
)

func TestBothEncodingsOfAVectorAgreeAndItsLengthIsOne(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	type vectors[T any] struct {
		Data []struct{ Embedding T }
	}
	body := `{"model":"m","input":"Hello","encoding_format":"`
	plain := decode[vectors[[]float32]](t, ask(s, "POST", "/v1/embeddings", body+`float"}`).body).Data[0].Embedding
	packed, err := base64.StdEncoding.DecodeString(decode[vectors[string]](t, ask(s, "POST", "/v1/embeddings", body+`base64"}`).body).Data[0].Embedding)
	if err != nil || len(packed) != 4*len(plain) || len(plain) != 1536 {
		t.Fatalf("%d numbers and %d bytes, %v", len(plain), len(packed), err)
	}
	sum := 0.0
	for i, x := range plain {
		if y := math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:])); x != y {
			t.Fatalf("number %d is %v and %v", i, x, y)
		}
		sum += float64(x) * float64(x)
	}
	if math.Abs(sum-1) > 1e-4 {
		t.Errorf("the squares add up to %v, want 1", sum)
	}
}

func TestInputsAreTextsTokensOrListsOfThem(t *testing.T) {
	tests := map[string]struct {
		input string
		want  int // 0 = refused
	}{
		"text":            {`"a"`, 1},
		"texts":           {`["a","b"]`, 2},
		"tokens":          {`[1,2,3]`, 1},
		"lists of tokens": {`[[1],[2,3]]`, 2},
		"nothing":         {`null`, 0},
		"no texts":        {`[]`, 0},
		"too many":        {`["a"` + strings.Repeat(`,"a"`, 2048) + `]`, 0},
	}
	for name, test := range tests {
		s := New(Config{})
		got := ask(s, "POST", "/v1/embeddings", `{"model":"m","dimensions":2,"input":`+test.input+`}`)
		if n := strings.Count(got.body, `"object":"embedding"`); n != test.want || (got.status == 200) != (test.want > 0) {
			t.Errorf("%s: %d with %d vectors, want %d", name, got.status, n, test.want)
		}
		s.Close()
	}
	s := New(Config{})
	defer s.Close()
	for _, more := range []string{`"dimensions":-1`, `"dimensions":5000`, `"encoding_format":"hex"`} {
		if got := ask(s, "POST", "/v1/embeddings", `{"model":"m","input":"a",`+more+`}`); got.status != 400 {
			t.Errorf("%s: %d", more, got.status)
		}
	}
}

func TestSpeechHasTheFormatThatWasAskedFor(t *testing.T) {
	tests := map[string]struct{ format, contentType, begins string }{
		"by default": {"", "audio/mpeg", "\xff\xfb\x90\x00"},
		"wav":        {"wav", "audio/wav", "RIFF"},
		"pcm":        {"pcm", "audio/pcm", "\x00\x00"},
		"opus":       {"opus", "audio/opus", ""},
	}
	for name, test := range tests {
		s := New(Config{})
		got := ask(s, "POST", "/v1/audio/speech", `{"model":"tts-1","input":"Hello there","voice":"alloy","response_format":"`+test.format+`"}`)
		if got.status != 200 || got.header.Get("Content-Type") != test.contentType || !strings.HasPrefix(got.body, test.begins) {
			t.Errorf("%s: %d %s %.20q", name, got.status, got.header.Get("Content-Type"), got.body)
		}
		if test.format == "wav" {
			if size := binary.LittleEndian.Uint32([]byte(got.body[4:])); int(size) != len(got.body)-8 {
				t.Errorf("the header tells %d bytes of %d", size, len(got.body)-8)
			}
		}
		s.Close()
	}
	s := New(Config{})
	defer s.Close()
	for _, body := range []string{
		`{"model":"m","voice":"v"}`, `{"model":"m","input":"x"}`, `{"input":"x","voice":"v"}`,
		`{"model":"m","input":"x","voice":"v","response_format":"midi"}`,
		`{"model":"m","voice":"v","input":"` + strings.Repeat("x", 4097) + `"}`,
	} {
		if got := ask(s, "POST", "/v1/audio/speech", body); got.status != 400 {
			t.Errorf("%.60s: %d", body, got.status)
		}
	}
}

func TestSpeechInEventsIsTheSameAudio(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	body := `{"model":"tts-1","input":"Hello there, all of you","voice":"alloy","response_format":"pcm"`
	whole := ask(s, "POST", "/v1/audio/speech", body+`}`).body
	var parts []byte
	for _, e := range parseEvents(ask(s, "POST", "/v1/audio/speech", body+`,"stream_format":"sse"}`).body) {
		var delta struct{ Audio []byte }
		if err := json.Unmarshal([]byte(e.data), &delta); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, delta.Audio...)
	}
	if string(parts) != whole {
		t.Errorf("%d bytes in events, %d in one piece", len(parts), len(whole))
	}
}

func TestATranscriptHasTheFormatThatWasAskedFor(t *testing.T) {
	tests := map[string]struct{ path, format, contentType, contains string }{
		"json":        {"transcriptions", "json", "application/json", `{"text":"The boat","usage":{"type":"tokens","input_tokens":2,`},
		"verbose":     {"transcriptions", "verbose_json", "application/json", `{"task":"transcribe","language":"english","duration":5,"text":"The boat"`},
		"text":        {"transcriptions", "text", "text/plain; charset=utf-8", "The boat\n"},
		"srt":         {"transcriptions", "srt", "text/plain; charset=utf-8", "1\n00:00:00,000 -->"},
		"vtt":         {"transcriptions", "vtt", "text/vtt; charset=utf-8", "WEBVTT\n"},
		"translation": {"translations", "verbose_json", "application/json", `{"task":"translate"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Tokens: 2})
			defer s.Close()
			body, contentType := formBody(t, "model", "whisper-1", "response_format", test.format, "@file", strings.Repeat("a", 2000))
			got := ask(s, "POST", "/v1/audio/"+test.path, body, "Content-Type: "+contentType)
			if got.status != 200 || got.header.Get("Content-Type") != test.contentType || !strings.HasPrefix(got.body, test.contains) {
				t.Errorf("%d %s %s", got.status, got.header.Get("Content-Type"), got.body)
			}
		})
	}
	s := New(Config{Tokens: 2})
	defer s.Close()
	body, contentType := formBody(t, "model", "gpt-4o-transcribe", "stream", "true", "@file", "a")
	var names []string
	for _, e := range parseEvents(ask(s, "POST", "/v1/audio/transcriptions", body, "Content-Type: "+contentType).body) {
		names = append(names, e.name)
	}
	if got := strings.Join(names, " "); got != "transcript.text.delta transcript.text.delta transcript.text.done" {
		t.Errorf("events: %s", got)
	}
	for _, fields := range [][]string{{"model", "m"}, {"@file", "x"}} {
		body, contentType := formBody(t, fields...)
		if got := ask(s, "POST", "/v1/audio/transcriptions", body, "Content-Type: "+contentType); got.status != 400 {
			t.Errorf("%v: %d", fields, got.status)
		}
	}
}

func TestImagesAreEditedFromFormsAndJSON(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	form := func(fields ...string) received {
		body, contentType := formBody(t, fields...)
		return ask(s, "POST", "/v1/images/edits", body, "Content-Type: "+contentType)
	}
	json := func(path, body string) received { return ask(s, "POST", path, body, "Content-Type: application/json") }
	tests := map[string]struct {
		got    received
		status int
		images int
	}{
		"a form":            {form("prompt", "x", "n", "2", "@image[]", "png"), 200, 2},
		"JSON":              {json("/v1/images/edits", `{"prompt":"x","images":[{"file_id":"f"}]}`), 200, 1},
		"without an image":  {form("prompt", "x"), 400, 0},
		"without a prompt":  {form("@image", "png"), 400, 0},
		"a bad number":      {form("prompt", "x", "n", "two", "@image", "png"), 400, 0},
		"a bad partial":     {form("prompt", "x", "partial_images", "two", "@image", "png"), 400, 0},
		"too many":          {json("/v1/images/generations", `{"prompt":"x","n":11}`), 400, 0},
		"too many partials": {json("/v1/images/generations", `{"prompt":"x","partial_images":4}`), 400, 0},
		"no prompt":         {json("/v1/images/generations", `{}`), 400, 0},
		"not JSON":          {json("/v1/images/edits", `{`), 400, 0},
	}
	for name, test := range tests {
		if test.got.status != test.status || strings.Count(test.got.body, `"b64_json"`) != test.images {
			t.Errorf("%s: %d %.200s", name, test.got.status, test.got.body)
		}
	}
	stream := form("prompt", "x", "stream", "true", "partial_images", "1", "@image", "png")
	if got := parseEvents(stream.body); len(got) != 2 || got[0].name != "image_edit.partial_image" || got[1].name != "image_edit.completed" {
		t.Errorf("events: %+v", got)
	}
	if got := json("/v1/images/generations", `{"prompt":"x","response_format":"url"}`); !strings.Contains(got.body, `"url":"http://example.com/v1/images/img_`) {
		t.Errorf("by URL: %s", got.body)
	}
}

func TestABackgroundResponseGoesItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{JobTime: 10 * time.Second, TokenDelay: time.Hour})
		defer s.Close()
		type response struct {
			ID, Status string
			Output     []json.RawMessage
		}
		start := func() string {
			got := decode[response](t, ask(s, "POST", "/v1/responses", `{"model":"m","input":"x","background":true}`).body)
			if got.Status != "queued" || len(got.Output) != 0 {
				t.Errorf("at first: %+v", got)
			}
			return got.ID
		}
		id := start()
		for _, step := range []struct {
			after  time.Duration
			status string
			output int
		}{
			{0, "queued", 0}, {time.Second, "in_progress", 0}, {8 * time.Second, "in_progress", 0}, {time.Second, "completed", 1},
		} {
			pass(step.after)
			got := decode[response](t, ask(s, "GET", "/v1/responses/"+id, "").body)
			if got.Status != step.status || len(got.Output) != step.output {
				t.Errorf("%+v, want %s with %d items", got, step.status, step.output)
			}
		}
		id = start()
		for _, want := range []string{"cancelled", "cancelled"} {
			if got := decode[response](t, ask(s, "POST", "/v1/responses/"+id+"/cancel", "").body); got.Status != want {
				t.Errorf("%s, want %s", got.Status, want)
			}
		}
		if got := ask(s, "POST", "/v1/responses", `{"model":"m","input":"x","background":true,"store":false}`); got.status != 400 {
			t.Errorf("background without store: %d", got.status)
		}
	})
}

func TestAResponseIsKeptUnlessToldOtherwise(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	create := func(more string) string {
		return decode[struct{ ID string }](t, ask(s, "POST", "/v1/responses", `{"model":"m","input":"x"`+more+`}`).body).ID
	}
	kept, forgotten := create(""), create(`,"store":false`)
	for id, want := range map[string]int{kept: 200, forgotten: 404, "resp_unknown": 404} {
		if got := ask(s, "GET", "/v1/responses/"+id, ""); got.status != want {
			t.Errorf("%s: %d, want %d", id, got.status, want)
		}
	}
	if got := ask(s, "POST", "/v1/responses/"+kept+"/cancel", ""); got.status != 400 {
		t.Errorf("canceling a synchronous one: %d", got.status)
	}
	if e := s.Ledger().Entries(ledger.Filter{}); e[len(e)-1].Work {
		t.Errorf("ledger: %+v", e[len(e)-1])
	}
	if got := ask(s, "GET", "/v1/responses/"+kept+"?stream=true", ""); got.status != 400 {
		t.Errorf("the events of a synchronous one: %d", got.status)
	}
	if got := ask(s, "GET", "/v1/responses/"+kept+"?starting_after=x", ""); got.status != 400 {
		t.Errorf("after nothing: %d", got.status)
	}
	for _, want := range []int{200, 404} {
		if got := ask(s, "DELETE", "/v1/responses/"+kept, ""); got.status != want {
			t.Errorf("deleting: %d, want %d", got.status, want)
		}
	}
	if got := ask(s, "POST", "/v1/responses/"+kept+"/cancel", ""); got.status != 404 {
		t.Errorf("canceling what is gone: %d", got.status)
	}
}
