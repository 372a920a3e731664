package pick

import (
	"crypto/sha256"
	"hash"
	"unicode/utf8"

	"outrigger/internal/clip"
)

// name collects the model's name and where it stands.
type name struct {
	text     [MaxModel]byte
	n        int
	start    int64
	end      int64     // after its last byte as written; 0 when that follows from size
	size     int64     // as it reads
	all      hash.Hash // of the whole name, once it is longer than what is kept of it
	complete bool
}

// begin forgets an earlier name; the new one's first byte is at offset.
func (m *name) begin(offset int64) {
	m.n, m.start, m.end, m.size = 0, offset, 0, 0
	m.all, m.complete = nil, false
}

func (m *name) add(p []byte) {
	m.size += int64(len(p))
	n := copy(m.text[m.n:], p)
	m.n += n
	if n == len(p) {
		return
	}
	if m.all == nil {
		m.all = sha256.New()
		_, _ = m.all.Write(m.text[:])
	}
	_, _ = m.all.Write(p[n:])
}

// put copies the name into f, if it was complete.
func (m *name) put(f *Facts) {
	if !m.complete {
		return
	}
	text := m.text[:m.n]
	if m.all != nil {
		text = whole(text)
	}
	f.Model = string(text)
	if !utf8.Valid(text) {
		f.Model = string([]rune(f.Model)) // U+FFFD for each stray byte, as encoding/json has it
	} else if m.n > 0 {
		f.ModelStart, f.ModelEnd = m.start, max(m.end, m.start+m.size)
	}
	if m.all != nil {
		f.Model = clip.Long(f.Model, [sha256.Size]byte(m.all.Sum(nil)), MaxModel)
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
