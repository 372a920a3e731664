package proxy

// memory counts what is reserved of it.
type memory struct{ most, used int64 }

func (m *memory) Reserve(n int64) bool {
	if m.used+n > m.most {
		return false
	}
	m.used += n
	return true
}

func (m *memory) Free(n int64) { m.used -= n }
