package classify

import (
	"encoding/json"
	"testing"
)

func TestTruncatedIsJSONThatEndsTooEarly(t *testing.T) {
	const whole = " \ufeff{\"a\":[1,{\"b\":\"x\\\"}]\"},true],\"c\":\"\\\\\",\"d\":{}}\n"
	body := []byte(whole[1:])
	for n := len("\ufeff") + 1; n < len(body)-1; n++ {
		if !Truncated(body[:n]) {
			t.Errorf("%q is not taken for cut", body[:n])
		}
	}
	for _, text := range []string{
		whole, string(body), "", " ", "{}", "[]", "[[]]", "{}{", "{\"a\":1}\n{\"b\"", "no JSON", "\"half a string", "12", "{nope}", `{"a":"}"}`, "data: {", "<html>", "]",
	} {
		if Truncated([]byte(text)) {
			t.Errorf("%q is taken for cut", text)
		}
	}
}

func FuzzTruncated(f *testing.F) {
	for _, text := range []string{`{"a":[1,"\""]}`, `[{"b":null},2.5e3]`, `{"a":{"b":"c`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if Truncated(body) && json.Valid(body) {
			t.Fatalf("%q is whole", body)
		}
	})
}

func BenchmarkTruncated(b *testing.B) {
	body := []byte(`{"data":[{"embedding":[`)
	for range 20000 {
		body = append(body, "-0.012345678,"...)
	}
	body = append(body, "0]}]}"...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if Truncated(body) {
			b.Fatal("cut")
		}
	}
}
