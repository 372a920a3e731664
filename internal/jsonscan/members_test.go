package jsonscan

import (
	"encoding/json"
	"reflect"
	"testing"
)

// walk returns the members of value, name and value in turns.
func walk(value string) []string {
	var got []string
	for m := MembersOf([]byte(value)); ; {
		name, member, ok := m.Next()
		if !ok {
			return got
		}
		got = append(got, string(name), string(member))
	}
}

func TestMembersOf(t *testing.T) {
	for value, want := range map[string][]string{
		`{"a":1,"b":{"c":"}"},"a":[2]}`:     {"a", "1", "b", `{"c":"}"}`, "a", "[2]"},
		"\ufeff [1, \"x,\\\"\", {\"a\":1}]": {"", "1", "", `"x,\""`, "", `{"a":1}`},
		`{"a\"b" : null }`:                  {`a\"b`, "null"},
		`{"a":"cut`:                         {"a", `"cut`},
		`{"a":{"b":1`:                       {"a", `{"b":1`},
		`{"a":`:                             nil,
		`{a:1}`:                             nil,
		`"text"`:                            nil,
		`{}`:                                nil,
		``:                                  nil,
	} {
		if got := walk(value); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}

func TestTruthyIsWhatSDKsTakeForTrue(t *testing.T) {
	for value, want := range map[string]bool{
		`null`: false, `false`: false, `0`: false, `""`: false, `{}`: false, `[]`: false, ` [ ] `: false, ``: false,
		`true`: true, `1`: true, `"x"`: true, `{"a":null}`: true, `[0]`: true, `-1`: true,
	} {
		if got := Truthy([]byte(value)); got != want {
			t.Errorf("%s: got %v", value, got)
		}
	}
}

func FuzzMembers(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":[{"c":"]"}]}`, `{"a":"\\"}`, ` { } `, `{"a`, `{"":0}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		last := map[string]json.RawMessage{}
		m := MembersOf(text)
		for {
			name, value, ok := m.Next()
			if !ok {
				break
			}
			var key string
			if json.Unmarshal([]byte(`"`+string(name)+`"`), &key) == nil {
				last[key] = value
			}
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || len(want) == 0 {
			return
		}
		if !reflect.DeepEqual(last, want) {
			t.Fatalf("%q: got %s, want %s", text, last, want)
		}
	})
}

func TestTruncatedIsJSONThatEndsTooEarly(t *testing.T) {
	const whole = "\ufeff{\"a\":[1,{\"b\":\"x\\\"}]\"},true],\"c\":\"\\\\\",\"d\":{}}\n"
	for n := len("\ufeff") + 1; n < len(whole)-1; n++ {
		if !Truncated([]byte(whole[:n])) {
			t.Errorf("%q is not taken for cut", whole[:n])
		}
		var pieces Nesting
		for _, c := range []byte(whole[:n]) {
			_, _ = pieces.Write([]byte{c})
		}
		if !pieces.Open() {
			t.Errorf("%q in pieces is not taken for cut", whole[:n])
		}
	}
	for _, text := range []string{whole, "", "{}", "[[]]", "{}{", "no JSON", `"half`, "12", `{"a":"}"}`, "]"} {
		if Truncated([]byte(text)) {
			t.Errorf("%q is taken for cut", text)
		}
	}
}

func TestUnstructuredStopsAtTheFirstByteThatMatters(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			p := []byte("a\x80\xff;:, \x02\x5c|~zy0123456789")
			p[at] = byte(c)
			want := len(p)
			switch c {
			case '"', '[', ']', '{', '}':
				want = at
			}
			if got := unstructured(p); got != want {
				t.Fatalf("byte %#x at %d: got %d, want %d", c, at, got, want)
			}
		}
	}
}
