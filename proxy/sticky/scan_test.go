package sticky

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scanned returns what the scanner finds in text, fed in pieces of size bytes.
func scanned(text string, size int, wants func([]byte) bool) []string {
	var got []string
	s := newScanner(wants, func(m member) {
		value := fmt.Sprintf("%q", m.value)
		if m.value == nil {
			value = string(m.literal)
		}
		got = append(got, fmt.Sprintf("%d %s.%s=%s", m.depth, m.outer, m.key, value))
	})
	for len(text) > 0 {
		n := min(size, len(text))
		_, _ = s.Write([]byte(text[:n]))
		text = text[n:]
	}
	return got
}

func all([]byte) bool { return true }

func TestTheScannerFindsMembers(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"top":        {`{"id":"file-1","n":12,"ok":true,"x":null}`, []string{`1 .id="file-1"`, `1 .n=1`, `1 .ok=t`, `1 .x=n`}},
		"white":      {"{ \"id\"\n\t: \r\"file-1\" }", []string{`1 .id="file-1"`}},
		"nested":     {`{"conversation":{"id":"conv_1"},"a":{"b":{"c":"d"}}}`, []string{`2 conversation.id="conv_1"`, `3 a.c="d"`}},
		"array":      {`{"file_ids":["a","b"],"z":[],"y":"c"}`, []string{`1 .file_ids="a"`, `1 .file_ids="b"`, `1 .y="c"`}},
		"objects":    {`{"tools":[{"vector_store_ids":["vs_1"]},{"type":"x"}]}`, []string{`3 tools.vector_store_ids="vs_1"`, `3 tools.type="x"`}},
		"metadata":   {`{"metadata":{"file_id":"a","b":{"c":"d"}},"id":"e","metadata":"f"}`, []string{`1 .id="e"`, `1 .metadata="f"`}},
		"escapes":    {`{"text":"\"id\":\"x\"","i\u0064":"y","id":"a\/b","a":"\\","b":"c"}`, []string{`1 .="y"`, `1 .b="c"`}},
		"in a text":  {`{"text":"{\"previous_response_id\":\"resp_1\"}"}`, nil},
		"long":       {`{"id":"` + strings.Repeat("x", 257) + `","a":"` + strings.Repeat("y", 256) + `"}`, []string{`1 .a="` + strings.Repeat("y", 256) + `"`}},
		"long key":   {`{"` + strings.Repeat("k", 257) + `":"v"}`, []string{`1 .="v"`}},
		"stream":     {"event: response.created\ndata: {\"response\":{\"id\":\"resp_1\"}}\n\n: it's \"so\ndata: {\"id\":\"a\"}\n\n", []string{`2 response.id="resp_1"`, `1 .id="a"`}},
		"no JSON":    {`id: "x", 'id': 'y' }}}]]] "id":"z"`, []string{`0 .id="z"`}},
		"unfinished": {`{"id":"file-`, nil},
		"nothing":    {``, nil},
	} {
		for size := 1; size <= len(tt.text)+1; size++ {
			if got := scanned(tt.text, size, all); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s in pieces of %d: got %q, want %q", name, size, got, tt.want)
				break
			}
		}
	}
}

func TestTheScannerTellsOnlyOfKeysThatAreWanted(t *testing.T) {
	got := scanned(`{"a":"1","id":"2","c":["3"],"d":4,"x_ids":["5"]}`, 3, names)
	if want := []string{`1 .id="2"`, `1 .x_ids="5"`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// walker finds in a valid document without escapes what the scanner should.
type walker struct {
	dec *json.Decoder
	got []string
}

func reference(text []byte) []string {
	w := walker{dec: json.NewDecoder(bytes.NewReader(text))}
	w.dec.UseNumber()
	w.value(0, "", "", false)
	return w.got
}

// value walks over one value; depth is that of its key.
func (w *walker) value(depth int, key, outer string, listed bool) {
	token, _ := w.dec.Token()
	switch token {
	case json.Delim('{'):
		if listed {
			depth, key = depth+1, ""
		}
		if depth == 1 {
			outer = key
		}
		for w.dec.More() {
			inner, _ := w.dec.Token()
			before := len(w.got)
			w.value(depth+1, inner.(string), outer, false)
			if key == "metadata" {
				w.got = w.got[:before]
			}
		}
		_, _ = w.dec.Token()
		return
	case json.Delim('['):
		if depth == 1 && !listed {
			outer = key
		}
		for w.dec.More() {
			w.value(depth, key, outer, true)
		}
		_, _ = w.dec.Token()
		return
	}
	if depth < 2 {
		outer = ""
	}
	text := "n"
	if v, ok := token.(string); ok {
		text = fmt.Sprintf("%q", v)
	} else if token != nil {
		text = fmt.Sprint(token)[:1]
	}
	w.got = append(w.got, fmt.Sprintf("%d %s.%s=%s", depth, outer, key, text))
}

// drawValue draws an object, a list of objects or of strings, or a scalar.
func drawValue(t *rapid.T, out *bytes.Buffer, depth int) {
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if depth == 0 {
		kind = 4
	}
	if depth > 4 {
		kind = min(kind, 2)
	}
	list := func(open, end string, most int, draw func()) {
		out.WriteString(open)
		for i := range rapid.IntRange(0, most).Draw(t, "number") {
			if i > 0 {
				out.WriteString(", ")
			}
			draw()
		}
		out.WriteString(end)
	}
	object := func() {
		list("{", "}", 4, func() {
			fmt.Fprintf(out, "%q : ", rapid.SampledFrom([]string{"id", "metadata", "conversation", "file_id", "x"}).Draw(t, "key"))
			drawValue(t, out, depth+2)
		})
	}
	text := func() {
		out.WriteString(rapid.SampledFrom([]string{`"a"`, `"file-12"`, `""`, `"{[:,"`}).Draw(t, "text"))
	}
	switch kind {
	case 0:
		text()
	case 1:
		out.WriteString(rapid.SampledFrom([]string{"true", "false", "null", "1", "-2.5e3"}).Draw(t, "literal"))
	case 2:
		list("[", "]", 3, text)
	case 3:
		list("[", "]", 3, object)
	case 4:
		object()
	}
}

func TestTheScannerAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		drawValue(t, &text, 0)
		got := scanned(text.String(), rapid.IntRange(1, 40).Draw(t, "size"), all)
		if want := reference(text.Bytes()); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q: %s", got, want, text.String())
		}
	})
}

func FuzzScanner(f *testing.F) {
	f.Add(`{"id":"file-1","metadata":{"a":["b"]}}`, 3)
	f.Add("data: {\"id\":\"x\"}\n\n\"", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = max(1, size&63)
		if got, whole := scanned(text, size, all), scanned(text, len(text)+1, all); !reflect.DeepEqual(got, whole) {
			t.Errorf("in pieces of %d: %q, whole: %q", size, got, whole)
		}
	})
}
