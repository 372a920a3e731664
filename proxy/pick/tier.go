package pick

// tier returns the service tier that w names, "" where w is no name of one.
func (w *word) tier() string {
	if w.long {
		return ""
	}
	for _, c := range w.bytes() {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
		default:
			return ""
		}
	}
	return string(w.bytes())
}
