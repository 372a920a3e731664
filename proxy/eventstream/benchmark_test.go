package eventstream

import (
	"bytes"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

const chunk = `data: {"id":"chatcmpl-C3xYfQ1","object":"chat.completion.chunk","created":1762700000,"model":"gpt-5.1-mini","service_tier":"default",` +
	`"system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aZ3kf9"}` + "\n\n"

const delta = "event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","sequence_number":12,"item_id":"msg_68a1f0b2","output_index":0,` +
	`"content_index":0,"delta":" word","logprobs":[],"obfuscation":"Xk20sd"}` + "\n\n"

func TestWatchingAllocatesNothing(t *testing.T) {
	image := `data: {"type":"image_generation.partial_image","b64_json":"` + strings.Repeat("iVBORw0K", 1<<14) + `"}` + "\n\n"
	for name, event := range map[string]string{"chat": chunk, "responses": delta, "an image": image} {
		w := watch(endpoint.Chat, []byte(event+event))
		b := []byte(event)
		n := testing.AllocsPerRun(100, func() {
			_, _ = w.Write(b[:len(b)/2])
			_, _ = w.Write(b[len(b)/2:])
		})
		if n != 0 || w.Events() != 103 {
			t.Errorf("%s: %v allocations for each of %d events", name, n, w.Events())
		}
	}
}

func TestAnotherStreamAllocatesNextToNothing(t *testing.T) {
	w := New(endpoint.Responses)
	stream := transcript(t, "responses_openai")
	n := testing.AllocsPerRun(100, func() {
		w.Reset(endpoint.Responses)
		_, _ = w.Write(stream)
	})
	if n > 1 { // the first event's name
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	image := `data: {"type":"image_generation.partial_image","b64_json":"` + strings.Repeat("iVBORw0K", 1<<17) + `"}` + "\n\n"
	code := strings.ReplaceAll(delta, " word", strings.Repeat(`\tif err != nil {\n\t\treturn \"x\"\n`, 8))
	for _, bc := range []struct {
		name, stream string
		events, part int
	}{
		{"chat/event", chunk, 1, len(chunk)},
		{"chat/32KiB", strings.Repeat(chunk, 100), 100, 32 << 10},
		{"chat/byte", chunk, 1, 1},
		{"responses/event", delta, 1, len(delta)},
		{"escapes/event", code, 1, len(code)},
		{"image/32KiB", image, 1, 32 << 10},
	} {
		b.Run(bc.name, func(b *testing.B) {
			parts := split([]byte(bc.stream), bc.part)
			w := watch(endpoint.Chat, []byte(chunk))
			b.SetBytes(int64(len(bc.stream)))
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range parts {
					_, _ = w.Write(p)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*bc.events), "ns/event")
		})
	}
}

func split(b []byte, size int) [][]byte {
	var parts [][]byte
	for part := range bytes.SplitSeq(b, nil) {
		if n := len(parts); n > 0 && len(parts[n-1]) < size {
			parts[n-1] = append(parts[n-1], part...)
			continue
		}
		parts = append(parts, append(make([]byte, 0, size), part...))
	}
	return parts
}
