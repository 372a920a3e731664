package pick

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// bodies are the kinds of body that reach a proxy, by name.
func bodies() map[string]struct{ contentType, body string } {
	words := strings.Repeat("The quick brown fox jumps over the lazy dog.\\n", 1+100_000/46)
	tokens := strings.TrimSuffix(strings.Repeat("12345,", 100_000/6), ",")
	image := base64.StdEncoding.EncodeToString(make([]byte, 15_000_000))
	var turns strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&turns, `{"role":"user","content":[{"type":"text","text":"Turn %d of a long talk, with a few words in it."}]},`, i)
	}
	return map[string]struct{ contentType, body string }{
		"small":  {jsonType, `{"model":"gpt-4o","stream":true,"max_tokens":500,"messages":[{"role":"user","content":"` + strings.Repeat("Hello. ", 55) + `"}]}`},
		"text":   {jsonType, `{"model":"gpt-4o","messages":[{"role":"user","content":"` + words + `"}]}`},
		"turns":  {jsonType, `{"model":"gpt-4o","messages":[` + turns.String() + `{}]}`},
		"image":  {jsonType, `{"model":"gpt-4o","messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}]}]}`},
		"tokens": {jsonType, `{"model":"text-embedding-3-large","input":[` + tokens + `]}`},
		"form": {formType, lines("--B", disposition("model"), "", "whisper-1", "--B",
			`Content-Disposition: form-data; name="file"; filename="a.mp3"`, "", string(noise(20_000_000)), "--B--")},
	}
}

// noise is n bytes like compressed audio.
func noise(n int) []byte {
	p, x := make([]byte, n), uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

func TestWriteDoesNotAllocate(t *testing.T) {
	for name, b := range bodies() {
		t.Run(name, func(t *testing.T) {
			body := []byte(b.body)
			body = body[:min(len(body), 50_000)]
			var p *Picker
			made := testing.AllocsPerRun(10, func() { p = New(b.contentType) })
			got := testing.AllocsPerRun(10, func() {
				p = New(b.contentType)
				for rest := body; len(rest) > 0; {
					n := min(len(rest), 777)
					_, _ = p.Write(rest[:n])
					rest = rest[n:]
				}
			})
			if got != made {
				t.Errorf("%v allocations with New, %v for New alone", got, made)
			}
			if b.contentType == jsonType && made != 1 {
				t.Errorf("New makes %v allocations for JSON, want 1", made)
			}
			if p.Facts().Model == "" {
				t.Error("nothing was picked")
			}
		})
	}
}

func BenchmarkPicker(b *testing.B) {
	for name, body := range bodies() {
		b.Run("body:"+name, func(b *testing.B) {
			text := []byte(body.body)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				p := New(body.contentType)
				for rest := text; len(rest) > 0; { // as the spool reads
					n := min(len(rest), 32<<10)
					_, _ = p.Write(rest[:n])
					rest = rest[n:]
				}
				if !p.Facts().Valid {
					b.Fatal("the body was not understood")
				}
			}
		})
	}
}

// BenchmarkDecode is what decoding the same bodies costs, for comparison.
func BenchmarkDecode(b *testing.B) {
	for name, body := range bodies() {
		if body.contentType != jsonType {
			continue
		}
		b.Run("body:"+name, func(b *testing.B) {
			text := []byte(body.body)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var v struct {
					Model    string          `json:"model"`
					Messages json.RawMessage `json:"messages"`
				}
				err := json.NewDecoder(bytes.NewReader(text)).Decode(&v)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
