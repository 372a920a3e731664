package response

import "bytes"

// IsBlank reports whether text has nothing but white space in it.
func IsBlank(text []byte) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark)))) == 0
}

// IsPage reports whether text is markup: HTML, or the XML that storage answers with.
func IsPage(text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text[:min(len(text), leadMax)], []byte("\ufeff")))
	return len(text) > 1 && text[0] == '<' && (text[1] == '!' || text[1] == '?' || 'a' <= text[1]|0x20 && text[1]|0x20 <= 'z')
}
