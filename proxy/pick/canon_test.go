package pick

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// copied returns what a body of this type is written down as, given in pieces of
// size bytes.
func copied(contentType, body string, size int) string {
	var b bytes.Buffer
	p := New(contentType)
	p.Copy(&b)
	for rest := body; rest != ""; {
		n := min(size, len(rest))
		_, _ = io.WriteString(p, rest[:n])
		rest = rest[n:]
	}
	return b.String()
}

// formOf returns a form under a boundary: name, header line and content of each part.
func formOf(t interface{ Fatal(args ...any) }, boundary string, parts ...[3]string) string {
	var b strings.Builder
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", part[0])}}
		if part[1] != "" {
			h.Set("Content-Type", part[1])
		}
		to, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(to, part[2])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func typeOf(boundary string) string { return "multipart/form-data; boundary=" + boundary }

func TestACopiedFormDoesNotDependOnItsBoundary(t *testing.T) {
	parts := [][3]string{{"purpose", "", "batch"}, {"file", "application/jsonl", "{}\r\n--\r\n--aaa\r\n"}, {"empty", "", ""}}
	want := copied(typeOf("aaaaaaaa"), formOf(t, "aaaaaaaa", parts...), 1<<20)
	if want == "" {
		t.Fatal("nothing is copied")
	}
	for _, boundary := range []string{"b", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "f3a1c9d2e4b5a6978812aabbccddeeff"} {
		for _, size := range []int{1, 7, 1 << 20} {
			if got := copied(typeOf(boundary), formOf(t, boundary, parts...), size); got != want {
				t.Errorf("boundary %s in pieces of %d: %q, want %q", boundary, size, got, want)
			}
		}
	}
	if got := copied(typeOf("b"), "preamble\r\n"+formOf(t, "b", parts...)+"epilogue", 5); got != want {
		t.Errorf("with a preamble and an epilogue: %q, want %q", got, want)
	}
}

func TestFormsThatSayDifferentThingsAreCopiedDifferently(t *testing.T) {
	base := [3]string{"file", "text/plain", "abc"}
	forms := map[string][][3]string{
		"one":             {base},
		"another name":    {{"files", "text/plain", "abc"}},
		"another type":    {{"file", "text/csv", "abc"}},
		"no type":         {{"file", "", "abc"}},
		"another content": {{"file", "text/plain", "abd"}},
		"longer":          {{"file", "text/plain", "abcd"}},
		"twice":           {base, base},
		"two, one order":  {base, {"n", "", "1"}},
		"two, the other":  {{"n", "", "1"}, base},
		"no content":      {{"file", "text/plain", ""}},
		"none":            {},
	}
	seen := map[string]string{}
	for name, parts := range forms {
		got := copied(typeOf("x"), formOf(t, "x", parts...), 3)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are copied the same", name, other)
		}
		seen[got] = name
	}
}

func TestOtherBodiesAreCopiedAsTheyAre(t *testing.T) {
	for contentType, body := range map[string]string{
		"application/json":            `{"model": "x", "n":1 }`,
		"":                            `{"model":"x"}`,
		"application/octet-stream":    "\x00\xff",
		"multipart/form-data":         "--x\r\n\r\nno boundary is named\r\n--x--",
		"multipart/mixed; boundary=x": "--x\r\n\r\nabc\r\n--x--",
	} {
		if got := copied(contentType, body, 2); got != body {
			t.Errorf("%s: %q, want %q", contentType, got, body)
		}
	}
}

func TestABodyThatIsNoFormIsStillTold(t *testing.T) {
	bodies := []string{
		"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nabc\r\n--x y\r\nrest one",
		"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nabc\r\n--x y\r\nrest two",
		"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nabd",
		"--x\r\n\r: broken\r\n",
	}
	seen := map[string]bool{}
	for _, body := range bodies {
		got := copied(typeOf("x"), body, 4)
		if got == "" || seen[got] {
			t.Errorf("%q is copied as %q", body, got)
		}
		seen[got] = true
	}
}

// Any two forms are copied alike only if they say the same.
func TestCopiesTellFormsApart(t *testing.T) {
	part := rapid.Custom(func(t *rapid.T) [3]string {
		return [3]string{
			rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
			rapid.SampledFrom([]string{"", "text/plain"}).Draw(t, "type"),
			rapid.StringOfN(rapid.RuneFrom([]rune("-\r\nxa\x00\x02")), 0, 12, -1).Draw(t, "content"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		one, two := rapid.SliceOfN(part, 0, 3).Draw(t, "one"), rapid.SliceOfN(part, 0, 3).Draw(t, "two")
		size := rapid.IntRange(1, 40).Draw(t, "piece")
		first := copied(typeOf("bound0"), formOf(t, "bound0", one...), size)
		if again := copied(typeOf("1xax"), formOf(t, "1xax", one...), 1); !strings.Contains(fmt.Sprint(one), "--1xax") && again != first {
			t.Fatalf("copied as %q, and under another boundary as %q", first, again)
		}
		second := copied(typeOf("bound0"), formOf(t, "bound0", two...), size)
		if same := fmt.Sprint(one) == fmt.Sprint(two); same != (first == second) {
			t.Fatalf("%v and %v: same %t, copied the same %t", one, two, same, first == second)
		}
	})
}
