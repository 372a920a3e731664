package decode

import "bytes"

// lookMax is how many of a body's first bytes Look wants: by chance, one in ten
// million encoded bodies begins with so many printable characters.
const lookMax = 16

// Look returns the Content-Encoding that a body has by its first bytes, where that
// which it is said to have, encoding, is missing or wrong: gzip (RFC 1952, section
// 2.3.1), zstd (RFC 8878, section 3.1.1) and zlib (RFC 1950, section 2.2) begin with
// bytes of their own, br and raw deflate do not, but text is neither. More tells that
// bytes may follow head: without the second result being true they are wanted first.
func Look(encoding string, head []byte, more bool) (string, bool) {
	codings, err := parse(encoding)
	outer := ""
	if err == nil && len(codings) > 0 {
		outer = codings[len(codings)-1]
	}
	if outer == "x-gzip" {
		outer = "gzip"
	}
	if more && len(head) < wanted(err != nil || outer != "", head) {
		return "", false
	}
	switch own := magic(head); {
	case own != "" && own == outer:
		return encoding, true
	case own != "":
		return own, true
	case (err != nil || outer != "") && !isText(head):
		return encoding, true // for want of anything better
	}
	return "", true
}

// Content returns the beginning of raw decoded, as Body does, by the coding that Look finds.
func Content(encoding string, raw []byte, limit int) ([]byte, error) {
	coding, _ := Look(encoding, raw, false)
	return Body(coding, raw, limit)
}

// wanted is how many bytes of a body tell its coding, labelled or not.
func wanted(labelled bool, head []byte) int {
	switch {
	case len(head) == 0:
		return 1
	case labelled:
		return lookMax
	case head[0] == 0x1f || head[0] == 0x28 || head[0]&0x0f == 8:
		return lookMax
	}
	return 1
}

// magic returns the coding whose first bytes head begins with, "" if there is none.
func magic(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	case len(head) > 2 && isZlib(head) && !isText(head):
		return "deflate"
	}
	return ""
}

// isText reports whether head can be the beginning of JSON, of an event stream or of a page.
func isText(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	for _, c := range head[:min(len(head), lookMax)] {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c > '~' {
			return false
		}
	}
	return true
}
