package pick

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"outrigger/internal/clip"
)

// inPieces feeds body in pieces whose sizes follow from seed.
func inPieces(contentType string, body []byte, seed uint32) Facts {
	p := New(contentType)
	for len(body) > 0 {
		seed = seed*1664525 + 1013904223
		n := min(int(seed>>24)%17, len(body))
		_, _ = p.Write(body[:n])
		body = body[n:]
	}
	return p.Facts()
}

// kept is what is kept of a model's name.
func kept(model string) string {
	if len(model) > MaxModel {
		return clip.Text(model, MaxModel)
	}
	return model
}

func checkJSON(t interface{ Fatalf(string, ...any) }, body []byte, seed uint32) {
	got := picked(jsonType, body, len(body)+1)
	if pieces := inPieces(jsonType, body, seed); pieces != got {
		t.Fatalf("whole %+v, in pieces %+v: %q", got, pieces, body)
	}
	if got.ModelEnd > 0 {
		var read string
		err := json.Unmarshal([]byte(`"`+string(body[got.ModelStart:got.ModelEnd])+`"`), &read)
		if err != nil || kept(read) != got.Model {
			t.Fatalf("the model is not where it is said to be: %+v: %q", got, body)
		}
	}
	want, ok := reference(body)
	if !ok {
		want, got = Facts{}, Facts{Valid: got.Valid}
	}
	if !utf8.Valid(body) {
		// encoding/json replaces stray bytes, which changes lengths.
		got.PromptBytes, want.PromptBytes = 0, 0
		if len(want.Model) > 200 {
			got.Model, want.Model = "", ""
		}
		got.ModelStart, got.ModelEnd, want.ModelStart, want.ModelEnd = 0, 0, 0, 0
	}
	if got != want {
		t.Fatalf("picked %+v, encoding/json says %+v: %q", got, want, body)
	}
}

func FuzzJSON(f *testing.F) {
	for _, tt := range jsonCases {
		f.Add([]byte(tt.body), uint32(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint32) { checkJSON(t, body, seed) })
}

func FuzzForm(f *testing.F) {
	for _, tt := range formCases {
		f.Add([]byte(tt.body), uint32(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint32) { checkForm(t, body, "B", seed) })
}

func checkForm(t interface{ Fatalf(string, ...any) }, body []byte, boundary string, seed uint32) {
	contentType := "multipart/form-data; boundary=" + boundary
	got := picked(contentType, body, len(body)+1)
	if pieces := inPieces(contentType, body, seed); pieces != got {
		t.Fatalf("whole %+v, in pieces %+v: %q", got, pieces, body)
	}
	if text := string(body[got.ModelStart:got.ModelEnd]); kept(text) != got.Model && got.ModelEnd > 0 {
		t.Fatalf("the model is not where it is said to be: %+v: %q", got, body)
	}
	want, ok := formReference(body, boundary)
	got.ModelStart, got.ModelEnd, got.Members = 0, 0, 0
	if ok && got != want {
		t.Fatalf("picked %+v, mime/multipart says %+v: %q", got, want, body)
	}
}

// drawJSON writes a valid object around the keys that matter.
func drawJSON(t *rapid.T, out *bytes.Buffer, depth int) {
	space := func() { out.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "space")) }
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = 9
	}
	if depth > 5 {
		kind %= 8
	}
	switch kind {
	case 0, 1, 2, 3, 4:
		drawString(t, out, []string{
			"", "text", "mcp", "browser_automation_preview", "function", "image_url", "image", "data:image/png;base64,AA",
			"data:text/plain;base64,AA", "data: x", "image/png", "audio/wav", "é\U0001F600", "\"\\\x01",
		})
	case 5:
		out.WriteString(rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal"))
	case 6, 7:
		out.WriteString(rapid.SampledFrom([]string{"0", "1", "7", "128", "129", "-3", "2.0", "1.5", "1e2", "10000000", "10000001"}).Draw(t, "number"))
	case 8:
		out.WriteByte('[')
		for i := range rapid.IntRange(0, 4).Draw(t, "elements") {
			if i > 0 {
				out.WriteByte(',')
			}
			space()
			drawJSON(t, out, depth+1)
		}
		out.WriteByte(']')
	case 9:
		out.WriteByte('{')
		for i := range rapid.IntRange(0, 6).Draw(t, "members") {
			if i > 0 {
				out.WriteByte(',')
			}
			space()
			drawString(t, out, []string{
				"model", "service_tier", "stream", "store", "background", "conversation", "mcp_servers", "tools", "input", "prompt",
				"messages", "n", "max_tokens", "max_output_tokens", "type", "type", "data", "url", "images", "query", "documents",
				"contents", "generationConfig", "generation_config", "maxOutputTokens", "max_output_tokens", "candidateCount",
				"mimeType", "mime_type", "systemInstruction", "system_instruction",
			})
			space()
			out.WriteByte(':')
			drawJSON(t, out, depth+1)
			space()
		}
		out.WriteByte('}')
	}
}

// drawString writes one of texts as a JSON string, some of it escaped.
func drawString(t *rapid.T, out *bytes.Buffer, texts []string) {
	out.WriteByte('"')
	escape := rapid.IntRange(0, 3).Draw(t, "escape") == 0
	for _, r := range rapid.SampledFrom(texts).Draw(t, "text") {
		switch {
		case r > 0xFFFF && escape:
			r -= 0x10000
			fmt.Fprintf(out, `\u%04x\u%04X`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		case escape, r < ' ', r == '"', r == '\\':
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

func TestJSONAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var body bytes.Buffer
		drawJSON(t, &body, 0)
		cut := body.Len()
		if rapid.IntRange(0, 9).Draw(t, "break") == 0 {
			cut = rapid.IntRange(0, cut).Draw(t, "cut")
		}
		checkJSON(t, body.Bytes()[:cut], rapid.Uint32().Draw(t, "seed"))
	})
}

func TestFormAgreesWithMultipart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		boundary := rapid.SampledFrom([]string{"B", "----WebKitFormBoundaryX", "-", "BB"}).Draw(t, "boundary")
		err := w.SetBoundary(boundary)
		if err != nil {
			t.Fatalf("boundary: %v", err)
		}
		for range rapid.IntRange(0, 5).Draw(t, "parts") {
			name := rapid.SampledFrom([]string{"model", "stream", "n", "prompt", "image", "image[]", "file", `x"y\z`}).Draw(t, "name")
			line := `form-data; name="` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(name) + `"`
			if rapid.Bool().Draw(t, "file") {
				line += `; filename="` + rapid.SampledFrom([]string{"", "a.png", `a; name=n`}).Draw(t, "file name") + `"`
			}
			part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {line}, "Content-Type": {"x/y"}})
			if err != nil {
				t.Fatalf("part: %v", err)
			}
			for range rapid.IntRange(0, 6).Draw(t, "pieces") {
				_, _ = part.Write([]byte(rapid.SampledFrom([]string{
					"\r", "\n", "\r\n", "--", "-", boundary, "B", "gpt-4o", "true", "1", "2", " ", "\x00\xff",
				}).Draw(t, "content")))
			}
		}
		_ = w.Close()
		checkForm(t, body.Bytes(), boundary, rapid.Uint32().Draw(t, "seed"))
	})
}
