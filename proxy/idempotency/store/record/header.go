package record

import (
	"encoding/binary"
	"net/http"
)

// AppendHeader appends the number of lines, and the name and value of each.
func AppendHeader(b []byte, header http.Header) []byte {
	lines := 0
	for _, values := range header {
		lines += len(values)
	}
	b = binary.AppendUvarint(b, uint64(lines))
	for name, values := range header {
		for _, value := range values {
			b = appendText(appendText(b, name), value)
		}
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// CutHeader reads what AppendHeader wrote, and returns what follows it. It reports whether b
// was valid.
func CutHeader(b []byte) (http.Header, []byte, bool) {
	lines, n := binary.Uvarint(b)
	if n <= 0 || lines > uint64(len(b)) {
		return nil, nil, false
	}
	b = b[n:]
	header := make(http.Header)
	for range lines {
		var name, value string
		var ok bool
		if name, b, ok = cutText(b); !ok {
			return nil, nil, false
		}
		if value, b, ok = cutText(b); !ok {
			return nil, nil, false
		}
		header[name] = append(header[name], value)
	}
	return header, b, true
}

func cutText(b []byte) (string, []byte, bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return "", nil, false
	}
	return string(b[n:][:length]), b[n:][length:], true
}
