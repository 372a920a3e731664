package response

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// read shows a content all of sent, in pieces of up to most bytes.
func read(l Labels, sent []byte, most int, random *rand.Rand) *Content {
	c := NewContent(l)
	for rest := sent; len(rest) > 0; {
		n := 1 + random.IntN(min(len(rest), most))
		_, _ = c.Write(rest[:n])
		rest = rest[n:]
	}
	c.End()
	return c
}

// FuzzContent shows any bytes under any labels: what they are does not depend on how
// they are divided, and what is kept of them is bounded.
func FuzzContent(f *testing.F) {
	for _, tt := range codings {
		f.Add("text/event-stream", tt.label, []byte(strings.Join(packed(f, tt.coding, delta("a"), doneEvent), "")), uint64(1))
		f.Add("application/json", tt.label, []byte(packed(f, tt.coding, goodAnswer)[0]), uint64(2))
	}
	f.Add("text/plain", "", []byte("\ufeff\r\n: hello\n\ndata: {}\n\n"), uint64(3))
	f.Add("application/json", "br", []byte(goodAnswer), uint64(4))
	f.Add("", "gzip, br", []byte("retr"), uint64(5))
	f.Fuzz(func(t *testing.T, kind, encoding string, sent []byte, seed uint64) {
		if len(sent) > 64<<10 {
			return
		}
		l := Labels{Kind: kind, Encoding: encoding, Dialect: endpoint.Chat, Events: true}
		random := rand.New(rand.NewPCG(seed, 0))
		small, large := read(l, sent, 7, random), read(l, sent, 64<<10, random)
		defer small.Close()
		defer large.Close()
		if small.Lost() || large.Lost() {
			return // a bomb is one by what was shown until then
		}
		if small.What() != large.What() || small.Torn() != large.Torn() || small.Encoded() != large.Encoded() {
			t.Fatalf("in pieces it is %d, torn %v, encoded %v; as a whole %d, %v, %v",
				small.What(), small.Torn(), small.Encoded(), large.What(), large.Torn(), large.Encoded())
		}
		if a, b := small.Events(), large.Events(); a != nil && (a.Done() != b.Done() || a.Events() != b.Events()) {
			t.Fatalf("%d events and %d", a.Events(), b.Events())
		}
		if text := large.Taken(); !bytes.Equal(small.Taken(), text) || len(text) > HoldAnswer {
			t.Fatalf("%d bytes are kept", len(text))
		}
	})
}
