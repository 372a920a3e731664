package preset

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxUnescapes is how often a path is unescaped in search of a segment that climbs: once by
// the upstream, and once or twice by proxies and frameworks in front of it that do so too.
const maxUnescapes = 3

// Climbs reports whether a path, escaped, has a segment that leads up, in any spelling that
// a server may take for "..": escaped (RFC 3986, section 6.2.2), escaped twice, with a
// backslash for the slash, with a path parameter behind it as servlet containers cut it off
// ("..;x"), with blanks or control bytes, or as an overlong UTF-8 form. Such a path could
// leave the path of an upstream's URL, and with it what a configured key was meant for.
func Climbs(path string) bool {
	for range maxUnescapes {
		if hasClimb(path) {
			return true
		}
		plain := unescape(path)
		if plain == path {
			return false
		}
		path = plain
	}
	return hasClimb(path)
}

// hasClimb reports whether a segment of path is ".." as it stands.
func hasClimb(path string) bool {
	if !strings.Contains(path, "..") {
		return false
	}
	for segment := range strings.FieldsFuncSeq(path, isSeparator) {
		segment, _, _ = strings.Cut(segment, ";")
		if strings.TrimFunc(segment, isBlank) == ".." {
			return true
		}
	}
	return false
}

func isSeparator(r rune) bool { return r == '/' || r == '\\' }

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f }

// overlong turns the forms of ".", "/" and "\" that are longer than UTF-8 permits, and that
// lax decoders accept, into what they stand for.
var overlong = strings.NewReplacer("\xc0\xae", ".", "\xe0\x80\xae", ".", "\xc0\xaf", "/", "\xe0\x80\xaf", "/", "\xc1\x9c", `\`)

// unescape takes one layer of escapes off path, leaving those that are none.
func unescape(path string) string {
	if !strings.ContainsFunc(path, func(c rune) bool { return c == '%' || c >= utf8.RuneSelf }) {
		return path // as nearly all are
	}
	plain, err := url.PathUnescape(path)
	if err != nil { // a percent sign that escapes nothing
		plain = loosely(path)
	}
	return overlong.Replace(plain)
}

// loosely unescapes what it can.
func loosely(path string) string {
	var b strings.Builder
	for len(path) > 0 {
		n := 1
		if path[0] == '%' && len(path) >= 3 {
			n = 3
		}
		if plain, err := url.PathUnescape(path[:n]); err == nil {
			b.WriteString(plain)
		} else {
			n = 1
			b.WriteByte(path[0])
		}
		path = path[n:]
	}
	return b.String()
}
