package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// names of the tokens as the tests write them.
var names = map[Token]string{
	BeginObject: "{", BeginArray: "[", EndObject: "}", EndArray: "]", Name: "name ", Text: "text ", Scalar: "", Colon: ":", Comma: ",",
}

// scan returns the tokens of text in pieces of size bytes, with the pieces of a token
// joined, and what the scanner expects in the end.
func scan(t testing.TB, mode Mode, text string, size int) ([]string, State) {
	t.Helper()
	s := New(mode)
	var got []string
	var raw []byte
	open := false
	for rest := []byte(text); len(rest) > 0; {
		p := rest[:min(size, len(rest))]
		rest = rest[len(p):]
		for len(p) > 0 {
			token, piece, n := s.Next(p)
			if n == 0 && token != Scalar {
				t.Fatalf("token %d read nothing of %q", token, p)
			}
			p = p[n:]
			switch token {
			case More:
			case NamePart, TextPart, ScalarPart:
				raw = append(raw, piece...)
				open = true
			case Broken: // said below
			case NoText:
				got = append(got, "no text")
				raw, open = raw[:0], false
			default:
				got = append(got, names[token]+string(raw)+string(piece))
				raw, open = raw[:0], false
			}
		}
	}
	if open {
		got = append(got, "cut "+string(raw))
	}
	if s.State() == NoJSON {
		got = append(got, "broken")
	}
	return got, s.State()
}

// modes are all modes, for tests that hold for each.
var modes = []Mode{Loose, Strict, Search}

func TestNextReturnsTokensInAnySplit(t *testing.T) {
	for name, tt := range map[string]struct {
		mode  Mode
		text  string
		want  []string
		state State
	}{
		"an object":             {Strict, ` {"a":[1,-2.5e+3,true],"b":{"c":null}} `, []string{"{", "name a", "[", "1", "-2.5e+3", "true", "]", "name b", "{", "name c", "null", "}", "}"}, Whole},
		"raw text":              {Strict, `{"a\n":"\u00e9\""}`, []string{"{", `name a\n`, `text \u00e9\"`, "}"}, Whole},
		"empty ones":            {Strict, `[{},[],""]`, []string{"[", "{", "}", "[", "]", "text ", "]"}, Whole},
		"duplicates":            {Strict, `{"a":1,"a":2}`, []string{"{", "name a", "1", "name a", "2", "}"}, Whole},
		"byte order mark":       {Strict, "\ufeff {}", []string{"{", "}"}, Whole},
		"mark after space":      {Strict, " \ufeff{}", []string{"broken"}, NoJSON},
		"half a mark":           {Strict, "\xef\xbb{}", []string{"broken"}, NoJSON},
		"mark, loose":           {Loose, "\ufeff{}", []string{"broken"}, NoJSON},
		"control character":     {Strict, "{\"a\":\"b\nc\"}", []string{"{", "name a", "cut b", "broken"}, NoJSON},
		"the same, loose":       {Loose, "{\"a\":\"b\nc\"}", []string{"{", "name a", "text b\nc", "}"}, Whole},
		"bad escape":            {Strict, `["\x"]`, []string{"[", `cut \`, "broken"}, NoJSON},
		"bad escape, loose":     {Loose, `["\x"]`, []string{"[", `text \x`, "]"}, Whole},
		"bad digits":            {Strict, `["\u00g0"]`, []string{"[", `cut \u00`, "broken"}, NoJSON},
		"backslashes":           {Loose, `["\\","\\\"",""]`, []string{"[", `text \\`, `text \\\"`, "text ", "]"}, Whole},
		"leading zero":          {Strict, `[01]`, []string{"[", "0", "broken"}, NoJSON},
		"the same, loose: zero": {Loose, `[01]`, []string{"[", "01", "]"}, Whole},
		"minus alone":           {Strict, `[-]`, []string{"[", "cut -", "broken"}, NoJSON},
		"half a literal":        {Strict, `[trux]`, []string{"[", "cut tru", "broken"}, NoJSON},
		"comma at the end":      {Loose, `[1,]`, []string{"[", "1", "broken"}, NoJSON},
		"comma before }":        {Loose, `{"a":1,}`, []string{"{", "name a", "1", "broken"}, NoJSON},
		"no colon":              {Loose, `{"a" 1}`, []string{"{", "name a", "broken"}, NoJSON},
		"wrong bracket":         {Loose, `{"a":1]`, []string{"{", "name a", "1", "broken"}, NoJSON},
		"wrong bracket first":   {Loose, `[}`, []string{"[", "broken"}, NoJSON},
		"behind the end":        {Loose, `{} {}`, []string{"{", "}", "broken"}, NoJSON},
		"cut":                   {Loose, `{"a":"b\`, []string{"{", "name a", `cut b\`}, InText},
		"cut number":            {Strict, `[12`, []string{"[", "cut 12"}, InScalar},
		"top-level text":        {Strict, `"a"`, []string{"text a"}, Whole},
		"nothing":               {Strict, "", nil, Start},
		"searched":              {Search, `}]x: {"a":"b",c}`, []string{"}", "]", "x", ":", "{", "text a", ":", "text b", ",", "c", "}"}, Start},
		"searched lines":        {Search, "it's \"so\n{\"a\\\n\":1", []string{"it's", "no text", "{", "text a\\\n", ":", "1"}, Start},
	} {
		for size := 1; size <= max(len(tt.text), 1); size++ {
			got, state := scan(t, tt.mode, tt.text, size)
			if tt.mode == Search {
				got = joinWords(got, tt.want)
			}
			if !reflect.DeepEqual(got, tt.want) || state != tt.state {
				t.Errorf("%s in pieces of %d: got %q and state %d, want %q and %d", name, size, got, state, tt.want, tt.state)
				break
			}
		}
	}
}

// joinWords joins words that Search has cut where a piece ended, as want has them.
func joinWords(got, want []string) []string {
	for i := range want {
		for i+1 < len(got) && got[i] != want[i] && strings.HasPrefix(want[i], got[i]) {
			got[i] += got[i+1]
			got = slices.Delete(got, i+1, i+2)
		}
	}
	return got
}

func TestDepthIsBounded(t *testing.T) {
	for _, mode := range []Mode{Loose, Strict} {
		for depth, want := range map[int]State{MaxDepth: Whole, MaxDepth + 1: NoJSON} {
			text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
			if _, state := scan(t, mode, text, 100); state != want {
				t.Errorf("%d deep: state %d, want %d", depth, state, want)
			}
		}
	}
}

func TestReset_ForgetsAll(t *testing.T) {
	s := New(Strict)
	for _, text := range []string{`{"a":[{"b":"c\`, `{"a":1}`} {
		s.Reset()
		for p := []byte(text); len(p) > 0; {
			_, _, n := s.Next(p)
			p = p[n:]
		}
	}
	if s.State() != Whole || s.Depth() != 0 {
		t.Errorf("state %d, depth %d", s.State(), s.Depth())
	}
}

// said returns what a raw text says, read in pieces of size bytes.
func said(raw string, size int) string {
	var u Unescaper
	var b []byte
	for rest := []byte(raw); len(rest) > 0; {
		p := rest[:min(size, len(rest))]
		rest = rest[len(p):]
		for len(p) > 0 {
			var piece []byte
			piece, p = u.Next(p)
			b = append(b, piece...)
		}
	}
	return string(append(b, u.End()...))
}

func TestUnescaperReadsAsEncodingJSONDoes(t *testing.T) {
	for _, raw := range []string{
		``, `plain`, `\"\\\/\b\f\n\r\t`, `a\u00e9z`, `\uD83C\udf0a`, `\ud83c`, `\udf0a`, `\ud83cx`, `\ud83c\n`, `\ud83c\u0041`,
		`\ud83c\ud83c\udf0a`, `\udf0a\ud83c`, `é🌊`, `\u0000`, `\\u0041`, `\ud83c\\udf0a`,
	} {
		var want string
		if err := json.Unmarshal([]byte(`"`+raw+`"`), &want); err != nil {
			t.Fatal(err)
		}
		for size := 1; size <= len(raw)+1; size++ {
			if got := said(raw, size); got != want {
				t.Errorf("%s in pieces of %d: got %q, want %q", raw, size, got, want)
			}
		}
	}
}

// tokensOf returns what encoding/json finds in text, as the tests write it.
func tokensOf(text []byte) []string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var got []string
	for {
		token, err := d.Token()
		if err != nil {
			return got
		}
		got = append(got, fmt.Sprint(token))
	}
}

// ours returns the tokens of text as tokensOf does.
func ours(t testing.TB, text string, size int) []string {
	tokens, _ := scan(t, Strict, text, size)
	for i, token := range tokens {
		for _, kind := range []string{"name ", "text "} {
			if raw, ok := strings.CutPrefix(token, kind); ok {
				tokens[i] = said(raw, size)
			}
		}
		if token == "null" {
			tokens[i] = "<nil>"
		}
	}
	return tokens
}

func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e+3,true,"x\u00e9\ud83c"],"b":{"c":null}}`, `[01]`, `"a`, `{"a":1,}`, "\ufeff[]", `[1e5,0.1,-0]`, `{"a":"\`, `}]"x:`, `[tru`, "{\"a\":\"b\n",
	} {
		f.Add(text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		pieces := int(size)%17 + 1
		for _, mode := range modes {
			whole, state := scan(t, mode, text, len(text)+1)
			cut, cutState := scan(t, mode, text, pieces)
			if mode == Search { // a word that is cut comes as two
				cut = joinWords(cut, whole)
			}
			if !reflect.DeepEqual(whole, cut) || state != cutState {
				t.Fatalf("mode %d: %q whole: %q and %d, in pieces of %d: %q and %d", mode, text, whole, state, pieces, cut, cutState)
			}
		}
		valid := json.Valid([]byte(text))
		_, state := scan(t, Strict, text+" ", pieces) // which ends a number
		if deep := strings.Count(text, "[")+strings.Count(text, "{") > MaxDepth; !deep && !strings.HasPrefix(text, "\ufeff") && valid != (state == Whole) {
			t.Fatalf("%q: state %d, valid %v", text, state, valid)
		}
		if !valid {
			return
		}
		if _, loose := scan(t, Loose, text+" ", pieces); loose != Whole && strings.Count(text, "[")+strings.Count(text, "{") <= MaxDepth {
			t.Fatalf("%q is valid, and broken to Loose: %d", text, loose)
		}
		if utf8.ValidString(text) && state == Whole {
			if got, want := ours(t, text+" ", pieces), tokensOf([]byte(text)); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: got %q, want %q", text, got, want)
			}
		}
	})
}

func TestPlainStopsAtTheFirstByteThatMatters(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			p := []byte(strings.Repeat("a\x80\xff~ #[]!", 3))
			p[at] = byte(c)
			want := len(p)
			if c < 0x20 || c == '"' || c == '\\' {
				want = at
			}
			if got := plain(p); got != want {
				t.Fatalf("byte %#x at %d: plain = %d, want %d", c, at, got, want)
			}
		}
	}
}

func BenchmarkScanner(b *testing.B) {
	small := `{"model":"m","stream":true,"messages":[` + strings.TrimSuffix(strings.Repeat(`{"role":"user","content":"so it goes,\nand on"},`, 20), ",") + `]}`
	for name, text := range map[string]string{
		"1KiB": small, "1MiB": `{"input":"` + strings.Repeat("a line of words,\\n", 1<<16) + `"}`,
	} {
		for _, mode := range modes {
			b.Run(fmt.Sprintf("%s/mode:%d", name, mode), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					s := New(mode)
					for p := []byte(text); len(p) > 0; {
						_, _, n := s.Next(p)
						p = p[n:]
					}
				}
			})
		}
	}
}
