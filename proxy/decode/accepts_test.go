package decode

import (
	"slices"
	"strings"
	"testing"
)

func TestAcceptsIsTheCallersListWithoutWhatCannotBeDecoded(t *testing.T) {
	tests := map[string]struct{ header, want string }{
		"absent":                     {"", ""},
		"empty":                      {"  ", ""},
		"openai-python":              {"gzip, deflate", "gzip, deflate"},
		"with br and zstd":           {"gzip, deflate, br, zstd", "gzip, deflate, br, zstd"},
		"identity":                   {"identity", "identity"},
		"as written, if all is well": {"GZIP ;q=0.5,br;q=1.0,,x-gzip", "GZIP ;q=0.5,br;q=1.0,,x-gzip"},
		"a dictionary coding":        {"gzip, dcb, br;q=0.9, dcz", "gzip, br;q=0.9"},
		"compress first":             {"compress;q=1, gzip;q=0.2", "gzip;q=0.2"},
		"refusals stay":              {"compress, gzip;q=0, identity;q=0.1", "gzip;q=0, identity;q=0.1"},
		"nothing left":               {"compress, exi", "identity"},
		"any":                        {"*", "gzip, deflate, br, zstd"},
		"any other":                  {"gzip;q=1.0, *;q=0.5", "gzip;q=1.0, deflate;q=0.5, br;q=0.5, zstd;q=0.5"},
		"no other":                   {"identity, *;q=0", "identity, gzip;q=0, deflate;q=0, br;q=0, zstd;q=0"},
		"any but the old gzip":       {"X-Gzip;q=0, *", "X-Gzip;q=0, deflate, br, zstd"},
		"any but all":                {"gzip, deflate, br, zstd, *;q=0.1", "gzip, deflate, br, zstd"},
		"a weight that is none":      {"gzip;q=high, compress", "gzip;q=high"},
		"only commas":                {",,", ",,"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Accepts(tc.header); got != tc.want {
				t.Errorf("Accepts(%q) = %q, want %q", tc.header, got, tc.want)
			}
		})
	}
}

func FuzzAccepts(f *testing.F) {
	for _, header := range []string{"", "gzip, br;q=0.5", "*;q=0.1, gzip", "compress", ", ,x;;,*"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := Accepts(header)
		if strings.Trim(header, " \t") == "" != (got == "") {
			t.Fatalf("Accepts(%q) = %q", header, got)
		}
		if again := Accepts(got); again != got {
			t.Fatalf("Accepts(%q) = %q, and of that %q", header, got, again)
		}
		for element := range strings.SplitSeq(got, ",") {
			name, _, _ := strings.Cut(element, ";")
			name = strings.ToLower(strings.Trim(name, " \t"))
			if name != "" && !slices.Contains(append(codings, "identity", "x-gzip"), name) {
				t.Fatalf("Accepts(%q) = %q", header, got)
			}
		}
	})
}
