package jsonscan

import "bytes"

// Members walks the direct members of one JSON object or array that is at hand, whole or
// cut. Broken JSON ends the walk; it is never an error. Make it with MembersOf.
type Members struct {
	data   []byte
	at     int
	object bool
}

// MembersOf returns a walk over value, which is empty unless value is an object or an array.
func MembersOf(value []byte) Members {
	value = Trim(value)
	if len(value) == 0 || (value[0] != '{' && value[0] != '[') {
		return Members{}
	}
	return Members{data: value, at: 1, object: value[0] == '{'}
}

// Object reports whether m walks an object.
func (m *Members) Object() bool { return m.object }

// Next returns the next member's name and value, and whether there was one. The name is nil
// in arrays, and is given as written, escapes and all. The value of the last member of
// truncated JSON is what there is of it.
func (m *Members) Next() ([]byte, []byte, bool) {
	var name []byte
	m.skip(',')
	if m.object {
		if m.at >= len(m.data) || m.data[m.at] != '"' {
			return nil, nil, false
		}
		end := stringEnd(m.data, m.at)
		name = m.data[m.at+1 : max(end-1, m.at+1)]
		m.at = end
		m.skip(':')
	}
	if m.at >= len(m.data) || m.data[m.at] == ']' || m.data[m.at] == '}' {
		return nil, nil, false
	}
	start := m.at
	m.at = valueEnd(m.data, start)
	return name, m.data[start:m.at], m.at > start
}

// skip moves on over white space and c.
func (m *Members) skip(c byte) {
	for m.at < len(m.data) && (m.data[m.at] == c || blank(m.data[m.at])) {
		m.at++
	}
}

// valueEnd returns the index after the JSON value that starts at i.
func valueEnd(data []byte, i int) int {
	switch data[i] {
	case '"':
		return stringEnd(data, i)
	case '{', '[':
		var n Nesting
		return i + n.Read(data[i:])
	}
	for i < len(data) && !delimits(data[i]) {
		i++
	}
	return i
}

// stringEnd returns the index after the string that starts at i.
func stringEnd(data []byte, i int) int {
	n := closing(data[i+1:], false)
	if n < 0 {
		return len(data)
	}
	return i + n + 2
}

// Truthy reports whether a JSON value is anything but null, false, zero or empty. SDKs take
// a truthy "error" for an error (openai-python _streaming.py), and some upstreams write null.
func Truthy(value []byte) bool {
	value = Trim(value)
	if len(value) == 0 {
		return false
	}
	switch value[0] {
	case 'n', 'f', '0':
		return false
	case '"':
		return len(value) > 2
	case '{', '[':
		m := MembersOf(value)
		_, _, ok := m.Next()
		return ok
	}
	return true
}

// Literal returns what stands between the quotes of a JSON string, as written; nil for other values.
func Literal(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}

// Trim removes a byte order mark and white space around a body. DeepSeek sends blank lines ahead of its
// answers while a request is queued.
func Trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}
