package pick

import "unicode/utf8"

// name collects the model's name and where it stands.
type name struct {
	text     [maxModel]byte
	n        int
	start    int64
	end      int64 // after its last byte as written; 0 when that follows from size
	size     int64 // as it reads
	cut      bool
	complete bool
}

// begin forgets an earlier name; the new one's first byte is at offset.
func (m *name) begin(offset int64) {
	m.n, m.start, m.end, m.size = 0, offset, 0, 0
	m.cut, m.complete = false, false
}

func (m *name) add(p []byte) {
	m.size += int64(len(p))
	if m.cut {
		return
	}
	n := copy(m.text[m.n:], p)
	m.n += n
	m.cut = n < len(p)
}

// put copies the name into f, if it was complete.
func (m *name) put(f *Facts) {
	if !m.complete {
		return
	}
	text := m.text[:m.n]
	if m.cut {
		text = whole(text)
	}
	f.Model = string(text)
	if !utf8.Valid(text) {
		f.Model = string([]rune(f.Model)) // U+FFFD for each stray byte, as encoding/json has it
		return
	}
	if m.n > 0 {
		f.ModelStart, f.ModelEnd = m.start, max(m.end, m.start+m.size)
	}
}

// whole returns text without the beginning of a character that was cut.
func whole(text []byte) []byte {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return text[:i]
			}
			return text
		}
	}
	return text
}
