package body

import "io"

// Spliced is a body with one piece of it replaced: the model's name. It is read
// as it flows; nothing is decoded or copied. One goroutine reads it, and Close is
// as safe as that of the body below.
type Spliced struct {
	Src    io.ReadCloser
	Before int64  // bytes of src to pass on before the new text
	Text   string // what is left of it
	Skip   int64  // bytes of src to leave out after it
}

// Read implements io.Reader.
func (s *Spliced) Read(p []byte) (int, error) {
	switch {
	case s.Before > 0:
		n, err := s.Src.Read(p[:min(int64(len(p)), s.Before)])
		s.Before -= int64(n)
		if s.Before == 0 {
			err = nil // src says it again
		}
		return n, err
	case s.Text != "":
		n := copy(p, s.Text)
		s.Text = s.Text[n:]
		return n, nil
	}
	for s.Skip > 0 {
		n, err := io.CopyN(io.Discard, s.Src, s.Skip)
		s.Skip -= n
		if err != nil {
			return 0, err
		}
	}
	return s.Src.Read(p)
}

// Close implements io.Closer.
func (s *Spliced) Close() error { return s.Src.Close() }
