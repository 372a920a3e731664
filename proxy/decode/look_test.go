package decode

import (
	"testing"
)

func TestFirstBytesTellTheCodingBeforeLabelsDo(t *testing.T) {
	gz, zl, raw := encode(t, "gzip", []byte(sample)), encode(t, "zlib", []byte(sample)), encode(t, "raw", []byte(sample))
	br, zs := encode(t, "br", []byte(sample)), encode(t, "zstd", []byte(sample))
	tests := map[string]struct {
		label string
		body  []byte
		want  string
	}{
		"plain, no label":             {"", []byte(sample), ""},
		"plain as gzip":               {"gzip", []byte(sample), ""},
		"plain as br":                 {"br", []byte(sample), ""},
		"plain as deflate":            {"deflate", []byte(sample), ""},
		"plain as zstd":               {"zstd", []byte(sample), ""},
		"plain as a charset":          {"utf-8", []byte(sample), ""},
		"events as br":                {"br", []byte(": hello\n\ndata: {}\n\n"), ""},
		"a page with a mark as gzip":  {"gzip", []byte("\ufeff<!doctype html>"), ""},
		"gzip, no label":              {"", gz, "gzip"},
		"gzip as itself":              {"gzip", gz, "gzip"},
		"gzip by its old name":        {"X-GZIP", gz, "X-GZIP"},
		"gzip as br":                  {"br", gz, "gzip"},
		"gzip as deflate":             {"deflate", gz, "gzip"},
		"gzip as nothing known":       {"exi", gz, "gzip"},
		"zlib, no label":              {"", zl, "deflate"},
		"zlib as gzip":                {"gzip", zl, "deflate"},
		"raw deflate as itself":       {"deflate", raw, "deflate"},
		"raw deflate, no label":       {"", raw, ""},
		"br as itself":                {"br", br, "br"},
		"br, no label":                {"", br, ""},
		"zstd, no label":              {"", zs, "zstd"},
		"zstd as gzip":                {"gzip", zs, "zstd"},
		"two layers":                  {"br, gzip", encode(t, "gzip", br), "br, gzip"},
		"two layers, one as it seems": {"gzip, br", gz, "gzip"},
		"a formula":                   {"", []byte("x^2 + y^2 = z^2"), ""},
		"a parenthesis":               {"", []byte("(so it goes)"), ""},
		"a word in x":                 {"", []byte("x"), ""},
		"nothing":                     {"gzip", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, sure := Look(tt.label, tt.body, false)
			if got != tt.want || !sure {
				t.Errorf("got %q %v, want %q", got, sure, tt.want)
			}
			for n := range tt.body {
				if early, sure := Look(tt.label, tt.body[:n], true); sure && early != tt.want {
					t.Errorf("after %d bytes it is sure of %q", n, early)
				}
			}
		})
	}
	if got, _ := Content("br", gz, 0); string(got) != sample {
		t.Errorf("got %q", got)
	}
}
