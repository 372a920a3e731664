package clip_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"outrigger/internal/clip"
)

func TestText_LeavesGoodTextAlone(t *testing.T) {
	for _, text := range []string{"", "gpt-4o", "ft:gpt-4o-mini:org::id", "模型-8b", "a b", "é~", strings.Repeat("m", 64)} {
		if got := clip.Text(text, 64); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestText_CutsAndCleansAllElse(t *testing.T) {
	for name, tt := range map[string]struct{ text, begins string }{
		"one byte too long":      {strings.Repeat("m", 65), strings.Repeat("m", 44) + "...#"},
		"very long":              {strings.Repeat("m", 1<<20), strings.Repeat("m", 44) + "...#"},
		"a character at the cut": {strings.Repeat("m", 43) + strings.Repeat("é", 20), strings.Repeat("m", 43) + "...#"},
		"a line's end":           {"a\nb\r\n", "a b  ...#"},
		"a terminal's escape":    {"a\x1b[31mb", "a?[31mb...#"},
		"NUL and DEL":            {"\x00\x7f", "??...#"},
		"stray bytes":            {"a\xff\xc3", "a??...#"},
		"C1 controls":            {"a\u0085b", "a?b...#"},
		"a turned direction":     {"a\u202eb", "a?b...#"},
		"a line of Unicode's":    {"a\u2028b", "a b...#"},
	} {
		t.Run(name, func(t *testing.T) {
			got := clip.Text(tt.text, 64)
			hash, ok := strings.CutPrefix(got, tt.begins)
			if !ok || len(hash) != 16 || len(got) > 64 || !utf8.ValidString(got) {
				t.Errorf("got %q (%d bytes), want %q and a hash", got, len(got), tt.begins)
			}
			if clip.Text(got, 64) != got {
				t.Errorf("%q is not left alone the second time", got)
			}
		})
	}
}

func TestText_KeepsWhatDiffersApart(t *testing.T) {
	long := strings.Repeat("m", 1000)
	seen := map[string]string{}
	for _, text := range []string{long, long + "a", long + "b", "a\x00", "a\x01", "a\xff", "a?", "a\xfe", strings.Repeat("m", 44)} {
		got := clip.Text(text, 64)
		if other, ok := seen[got]; ok {
			t.Errorf("%.50q and %.50q both became %q", text, other, got)
		}
		seen[got] = text
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x00\xffb", 64)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = clip.Least + most&0xff
		got := clip.Text(text, most)
		if len(got) > most || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) || clip.Text(got, most) != got {
			t.Errorf("%q with at most %d became %q", text, most, got)
		}
	})
}
