package classify

import (
	"bytes"
	"strings"
)

// members walks the direct members of one JSON object or array without decoding
// or allocating. Broken JSON ends the walk; it is never an error.
type members struct {
	data   []byte
	at     int
	object bool
}

// membersOf returns a walk over value, which is empty unless value is an object or an array.
func membersOf(value []byte) members {
	value = trim(value)
	if len(value) == 0 || (value[0] != '{' && value[0] != '[') {
		return members{}
	}
	return members{data: value, at: 1, object: value[0] == '{'}
}

// next returns the next member's key and value, and whether there was one. The key is nil in arrays, and is given as written, escapes
// and all. The value of the last member of truncated JSON is what there is of it.
func (m *members) next() ([]byte, []byte, bool) {
	var key []byte
	m.skip(" \t\r\n,")
	if m.object {
		if m.at >= len(m.data) || m.data[m.at] != '"' {
			return nil, nil, false
		}
		end := stringEnd(m.data, m.at)
		key = m.data[m.at+1 : max(end-1, m.at+1)]
		m.at = end
		m.skip(" \t\r\n:")
	}
	if m.at >= len(m.data) || m.data[m.at] == ']' || m.data[m.at] == '}' {
		return nil, nil, false
	}
	start := m.at
	m.at = valueEnd(m.data, start)
	return key, m.data[start:m.at], m.at > start
}

// skip moves on over any of the characters.
func (m *members) skip(chars string) {
	for m.at < len(m.data) && strings.IndexByte(chars, m.data[m.at]) >= 0 {
		m.at++
	}
}

// valueEnd returns the index after the JSON value that starts at i.
func valueEnd(data []byte, i int) int {
	switch data[i] {
	case '"':
		return stringEnd(data, i)
	case '{', '[':
		return nestedEnd(data, i)
	}
	for i < len(data) {
		switch data[i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
	return i
}

// nestedEnd returns the index after the object or array that starts at i.
func nestedEnd(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			i = stringEnd(data, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return i
}

// stringEnd returns the index after the string that starts at i.
func stringEnd(data []byte, i int) int {
	i++
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		i += n + 1
		slashes := 0
		for data[i-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
}

// truthy reports whether a JSON value is anything but null, false, zero or empty. SDKs take
// a truthy "error" for an error (openai-python _streaming.py), and some upstreams write null.
func truthy(value []byte) bool {
	value = trim(value)
	if len(value) == 0 {
		return false
	}
	switch value[0] {
	case 'n', 'f', '0':
		return false
	case '"':
		return len(value) > 2
	case '{', '[':
		m := membersOf(value)
		_, _, ok := m.next()
		return ok
	}
	return true
}

// literal returns what stands between the quotes of a JSON string, as written; nil for other values.
func literal(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}

// trim removes a byte order mark and white space around a body. DeepSeek sends blank lines ahead of its
// answers while a request is queued.
func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}
