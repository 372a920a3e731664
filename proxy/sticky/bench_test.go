package sticky

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRequest reads a chat of 64 KB, as every call's body is read where several
// upstreams are configured.
func BenchmarkRequest(b *testing.B) {
	m := New(Bytes)
	body := []byte(`{"model":"m","messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("so it goes, \\n", 40)+`"},`, 120) + `{}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := m.Request()
		_, _ = r.Write(body)
	}
}

// BenchmarkEscapes reads what is made of escapes alone: as many bytes must not take
// much longer than any others.
func BenchmarkEscapes(b *testing.B) {
	m := New(Bytes)
	body := []byte(`{"input":"` + strings.Repeat(`\n`, 32<<10))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r := m.Request()
		_, _ = r.Write(body)
	}
}

// BenchmarkLearner reads a stream of 1,000 events.
func BenchmarkLearner(b *testing.B) {
	m := New(Bytes)
	var stream bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&stream, "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"delta\":\"word\",\"sequence_number\":%d}\n\n", i)
	}
	b.SetBytes(int64(stream.Len()))
	b.ReportAllocs()
	for b.Loop() {
		l := m.Learner(Owner{}, "responses", "POST", false, nil, 1)
		_, _ = l.Write(stream.Bytes())
	}
}
