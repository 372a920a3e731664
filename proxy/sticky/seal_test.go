package sticky

import (
	"strings"
	"testing"
)

// sums returns the hashes of the sealed contents in text, fed in pieces of size bytes.
func sums(m *Map, text string, size int) []uint64 {
	var got []uint64
	s := newScanner(all, func(member) {})
	s.seal = seal{seed: m.seed, visit: func(sum uint64) { got = append(got, sum) }}
	for ; text != ""; text = text[min(size, len(text)):] {
		_, _ = s.Write([]byte(text[:min(size, len(text))]))
	}
	return got
}

func TestSealedContentIsKnownHoweverItIsWritten(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	plain := "gAAAA" + strings.Repeat("aB3+/-_x", 10) + "=="
	want := sums(m, `{"encrypted_content":"`+plain+`"}`, 1<<10)
	if len(want) != 1 {
		t.Fatalf("got %d", len(want))
	}
	for name, text := range map[string]string{
		"as .NET writes it":   strings.ReplaceAll(plain, "+", `\u002B`),
		"as PHP writes it":    strings.ReplaceAll(plain, "/", `\/`),
		"all that can be":     strings.NewReplacer("+", `\u002b`, "/", `\u002F`, "=", `\u003D`).Replace(plain),
		"without its padding": strings.TrimRight(plain, "="),
	} {
		for size := 1; size < 12; size++ {
			if got := sums(m, `{"a":[{"encrypted_content" : "`+text+`","id":"b"}]}`, size); len(got) != 1 || got[0] != want[0] {
				t.Errorf("%s in pieces of %d: got %x, want %x", name, size, got, want)
			}
		}
	}
}

func TestOnlySealedContentIsHashed(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	long := strings.Repeat("x", 100)
	for name, text := range map[string]string{
		"too short":      `{"encrypted_content":"` + strings.Repeat("x", shortestSeal-1) + `"}`,
		"padding alone":  `{"encrypted_content":"` + strings.Repeat("=", 100) + `"}`,
		"another member": `{"content":"` + long + `","encrypted":"` + long + `"}`,
		"no string":      `{"encrypted_content":null,"encrypted_content":{"a":"` + long + `"}}`,
		"a key":          `{"` + long + `":"encrypted_content"}`,
		"in a text":      `{"text":"{\"encrypted_content\":\"` + long + `\"}"}`,
		"in metadata":    `{"metadata":{"encrypted_content":"` + long + `"}}`,
		"without an end": `{"encrypted_content":"` + long,
		"cut by a line":  "{\"encrypted_content\":\"" + long + "\n\"}",
	} {
		if got := sums(m, text, 7); len(got) != 0 {
			t.Errorf("%s: %d", name, len(got))
		}
	}
}

func TestLongSealedContentsDifferByTheirLength(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	content := func(n int) string { return `{"encrypted_content":"` + strings.Repeat("x", n) + `"}` }
	a, b := sums(m, content(longestHashed+1), 1<<12), sums(m, content(longestHashed+2), 1<<12)
	if len(a) != 1 || len(b) != 1 || a[0] == b[0] {
		t.Errorf("got %x and %x", a, b)
	}
}
