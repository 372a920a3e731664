package eventstream

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
	"outrigger/test/chance"
)

// maker makes random streams of members that mean something, at places where they do
// and where they do not.
type maker struct{ *rand.Rand }

var (
	makerNames = []string{
		"type", "event_type", "object", "error", "sequence_number", "usage", "response", "message", "x_groq", "choices",
		"prompt_tokens", "input_tokens", "cache_read_input_tokens", "completion_tokens", "output_tokens", "index", "finish_reason", "delta", "content", "text", "role", "reasoning_content",
		"tool_calls", "stop_reason", "status", "parts", "message",
	}
	makerTexts = []string{
		"", "error", "stop", "null", "insufficient_system_resource", "response.failed", "response.completed", "response.created", "ping",
		"abort", "failed", "response.done", "content_block_delta", "response.output_item.added", "message_stop", "image_edit.completed", "speech.audio.done", "done", "[DONE]", `\`, `"`, `\"`, `{"error":1}`, "é\U0001f30a", "a\nb",
		strings.Repeat("x", 200),
	}
)

func pick[T any](m maker, of []T) T { return of[m.IntN(len(of))] }

func (m maker) value(depth int) any {
	switch n := m.IntN(10); {
	case n < 2 && depth > 0:
		return m.object(depth - 1)
	case n < 4 && depth > 0:
		list := make([]any, m.IntN(4))
		for i := range list {
			list[i] = m.value(depth - 1)
		}
		return list
	case n < 5:
		return m.IntN(150)
	case n < 6:
		return pick(m, []any{nil, true, false, 0.5, -3, 1e30, 0})
	default:
		return pick(m, makerTexts)
	}
}

func (m maker) object(depth int) map[string]any {
	o := map[string]any{}
	for range m.IntN(6) {
		o[pick(m, makerNames)] = m.value(depth)
	}
	return o
}

// usage holds at most one prompt and one completion count: of two spellings the
// last counts, and the reference's maps have no order.
func (m maker) usage() map[string]any {
	return map[string]any{
		pick(m, []string{"prompt_tokens", "input_tokens"}):      m.IntN(1000),
		pick(m, []string{"completion_tokens", "output_tokens"}): m.IntN(1000),
		"cache_read_input_tokens":                               m.IntN(10),
		"details":                                               m.object(2),
	}
}

func (m maker) data() []byte {
	o := m.object(3)
	delete(o, "usage")
	for _, holder := range []string{"response", "message", "x_groq"} {
		delete(o, holder)
	}
	switch m.IntN(6) {
	case 0:
		return []byte("[DONE]")
	case 1:
		o["usage"] = m.usage()
	case 2:
		o[pick(m, []string{"response", "message", "x_groq"})] = map[string]any{"usage": m.usage(), "error": m.value(2)}
	case 3, 4:
		list := make([]any, m.IntN(4))
		for i := range list {
			list[i] = map[string]any{"index": m.IntN(3), "finish_reason": pick(m, []any{nil, "", "stop", "stop", "error"}), "delta": m.value(2)}
		}
		o["choices"] = list
	}
	b, _ := json.Marshal(o)
	if m.IntN(3) == 0 {
		var indented bytes.Buffer
		_ = json.Indent(&indented, b, "", pick(m, []string{"", " ", "\t"}))
		b = indented.Bytes()
	}
	return b
}

func (m maker) stream(events int) []byte {
	var b []byte
	line := func(parts ...string) {
		b = append(b, strings.Join(parts, "")...)
		b = append(b, pick(m, []string{"\n", "\n", "\r\n", "\r"})...)
	}
	for range events {
		if m.IntN(4) == 0 {
			line(pick(m, []string{": comment", ":", "id: 1", "x"}))
		}
		if m.IntN(2) == 0 {
			line("event:", pick(m, []string{"", " "}), pick(m, []string{"error", "ping", "response.completed", "done", "thread.run.created", ""}))
		}
		if m.IntN(8) > 0 {
			for part := range strings.SplitSeq(string(m.data()), "\n") {
				line("data:", pick(m, []string{"", " "}), part)
			}
		}
		line()
	}
	return b
}

func TestRandomStreamsAreUnderstoodLikeTheReference(t *testing.T) {
	for seed := range chance.Seeds(t, 500) {
		m := maker{rand.New(rand.NewPCG(seed, 0))}
		d := endpoint.Dialect(m.IntN(int(endpoint.Assistants) + 1))
		stream := m.stream(1 + m.IntN(6))
		got := reportOf(t, watch(d, stream, randomCuts(m.Rand, len(stream))...), stream)
		events, _ := readEvents(append(bytes.Clone(stream), got.missing...))
		want := reference(d, events)
		want.pending, want.missing = got.pending, got.missing
		if got != want || t.Failed() {
			t.Fatalf("seed %d, %s\ngot  %+v\nwant %+v\n%q", seed, d, got, want, stream)
		}
	}
}

func TestRandomStreamsCutAnywhereBecomeATypedError(t *testing.T) {
	for seed := range chance.Seeds(t, 500) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		d := endpoint.Chat + endpoint.Dialect(m.IntN(int(endpoint.Assistants)))
		stream := m.stream(1 + m.IntN(3))
		stream = stream[:m.IntN(len(stream)+1)]
		before, rest := readEvents(stream)
		if slices.ContainsFunc(before, func(e Event) bool { return !json.Valid(e.Data) && !bytes.Equal(e.Data, done) }) {
			continue // it was broken before
		}
		w := watch(d, stream, randomCuts(m.Rand, len(stream))...)
		out := slices.Concat(stream, w.End(), w.Interruption(code, message))
		mended, _ := readEvents(out)
		for _, e := range mended[len(before):] {
			if !utf8.Valid(e.Data) || !json.Valid(e.Data) && !bytes.HasPrefix(e.Data, []byte("[")) && !unmendable(rest) {
				t.Fatalf("seed %d, %s: %q\n%q", seed, d, e.Data, stream)
			}
		}
		var last struct{ Error reason }
		err := json.Unmarshal(mended[len(mended)-1].Data, &last)
		if err != nil || last.Error.Code != code || last.Error.Message != message {
			t.Fatalf("seed %d, %s: %v, %+v", seed, d, err, last)
		}
	}
}

// unmendable tells whether the half event's JSON was broken by a line end: in random
// streams a literal or number can be cut off from nothing but its own line.
func unmendable(lines []string) bool {
	e, _ := readEvent(lines)
	w := watch(endpoint.Chat, append([]byte("data: "), bytes.ReplaceAll(e.Data, []byte("\n"), []byte("\ndata: "))...))
	return w.scan.json.State() == jsonscan.NoJSON
}

// FuzzSplit: any bytes in any split give what the whole gives, and never panic.
func FuzzSplit(f *testing.F) {
	for name, tc := range golden {
		f.Add(transcript(f, name), uint8(tc.dialect), uint64(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, dialect uint8, seed uint64) {
		d := endpoint.Dialect(dialect % 11)
		random := rand.New(rand.NewPCG(seed, 0))
		whole, parts := watch(d, stream), watch(d, stream, randomCuts(random, len(stream))...)
		compare(t, whole, parts)
		cut := slices.Concat(stream, whole.Interruption(code, message))
		if end := whole.End(); !bytes.Equal(end, parts.End()) {
			t.Fatalf("End: %q", end)
		}
		compare(t, whole, parts)
		events, _ := readEvents(stream)
		if missing := whole.total.events - int64(len(events)); missing < 0 || missing > 1 {
			t.Fatalf("%d events, want %d", whole.Events(), len(events))
		}
		if d == endpoint.Unknown || d > endpoint.Assistants {
			return
		}
		// What follows the cut is an event of its own or ends the one at hand.
		after, rest := readEvents(cut)
		if n := len(after) - len(events); len(rest) > 0 || n < 1 || n > 2 {
			t.Fatalf("%d events after %d, %q", len(after), len(events), rest)
		}
		var last struct{ Error reason }
		err := json.Unmarshal(after[len(after)-1].Data, &last)
		if err != nil || last.Error.Code != code {
			t.Fatalf("%v: %q", err, after[len(after)-1].Data)
		}
	})
}

func compare(t *testing.T, a, b *Watcher) {
	t.Helper()
	same := a.total == b.total && a.Unseen() == b.Unseen() && a.Pending() == b.Pending() && a.hasFirst == b.hasFirst && a.hasFailure == b.hasFailure &&
		bytes.Equal(a.Separator(), b.Separator()) && bytes.Equal(a.Interruption(code, message), b.Interruption(code, message))
	for _, e := range [][2]Event{{a.first, b.first}, {a.failure, b.failure}} {
		same = same && e[0].Name == e[1].Name && bytes.Equal(e[0].Data, e[1].Data) && e[0].End == e[1].End && e[0].Cut == e[1].Cut
	}
	if !same {
		t.Fatalf("whole %+v %+v\nparts %+v %+v", a.total, a.scan, b.total, b.scan)
	}
}

// FuzzRepair: half of any JSON object can be mended.
func FuzzRepair(f *testing.F) {
	f.Add(`{"a":[1.5e+3,{"b":"\u00e9é\\"},true,null],"error":{"c":""}}`, 20)
	f.Fuzz(func(t *testing.T, object string, cut int) {
		object = strings.NewReplacer("\n", " ", "\r", " ").Replace(object)
		if !strings.HasPrefix(object, "{") || !json.Valid([]byte(object)) || !utf8.ValidString(object) || strings.Count(object, "[")+strings.Count(object, "{") > jsonscan.MaxDepth {
			t.Skip()
		}
		cut = 1 + int(uint(cut)%uint(len(object)))
		stream := []byte("data: " + object[:cut])
		w := watch(endpoint.Responses, stream)
		out := slices.Concat(stream, w.Interruption(code, message))
		if !utf8.Valid(out) {
			t.Fatalf("%q", out)
		}
		events, _ := readEvents(out)
		for i, e := range events {
			var data map[string]any
			err := json.Unmarshal(e.Data, &data)
			if err != nil {
				t.Fatalf("%v: %q", err, e.Data)
			}
			if isWhole := cut == len(strings.TrimRight(object, " \t")) || json.Valid([]byte(object[:cut])); !isWhole && data["code"] != code || i == 1 && data["code"] != code {
				t.Fatalf("event %d has no error: %q", i, e.Data)
			}
		}
	})
}
