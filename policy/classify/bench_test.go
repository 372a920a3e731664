package classify

import (
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// An ordinary chunk of a chat stream, and an answer of 8 KiB that talks about errors.
var (
	plainChunk  = []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}]}`)
	plainEvent  = []byte(`{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"In"}`)
	plainAnswer = []byte(`{"id":"x","object":"chat.completion","choices":[{"message":{"content":"` + strings.Repeat(`an \"error\" `, 600) + `"},"finish_reason":"stop"}],"error":null}`)
)

func TestTheHotPathDoesNotAllocate(t *testing.T) {
	ok := Attempt{Status: 200, Progress: Answered, Effect: endpoint.Compute, Now: testNow}
	whole := ok
	whole.Body = plainAnswer
	stream := ok
	stream.Stream, stream.Event, stream.Body = true, "response.function_call_arguments.delta", plainEvent
	tests := map[string]func(){
		"Classify of a 200":             func() { Classify(ok) },
		"Classify of a whole answer":    func() { Classify(whole) },
		"Classify of a stream":          func() { Classify(stream) },
		"IsError of a chat chunk":       func() { IsError("", plainChunk) },
		"IsError of a Responses event":  func() { IsError("response.function_call_arguments.delta", plainEvent) },
		"IsErrorBody of a whole answer": func() { IsErrorBody(plainAnswer) },
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, run); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	for name, a := range map[string]Attempt{
		"answer:200":   {Status: 200, Progress: Answered},
		"answer:whole": {Status: 200, Progress: Answered, Body: plainAnswer},
		"answer:429":   answer(429, groqTPM, "Retry-After: 12"),
		"answer:html":  answer(502, "<html>"+strings.Repeat("x", 8<<10)),
		"answer:text":  answer(500, strings.Repeat("rate limit 5 per minute try again in ", 1700)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Classify(a)
			}
		})
	}
}

func BenchmarkIsError(b *testing.B) {
	for name, data := range map[string][]byte{"event:chat": plainChunk, "event:responses": plainEvent} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				IsError("", data)
			}
		})
	}
}
