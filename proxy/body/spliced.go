package body

import "io"

// spliced is a body with one piece of it replaced: the model's name. It is read
// as it flows; nothing is decoded or copied. One goroutine reads it, and Close is
// as safe as that of the body below.
type spliced struct {
	src    io.ReadCloser
	before int64  // bytes of src to pass on before the new text
	text   string // what is left of it
	skip   int64  // bytes of src to leave out after it
}

// Read implements io.Reader.
func (s *spliced) Read(p []byte) (int, error) {
	switch {
	case s.before > 0:
		n, err := s.src.Read(p[:min(int64(len(p)), s.before)])
		s.before -= int64(n)
		if s.before == 0 {
			err = nil // src says it again
		}
		return n, err
	case s.text != "":
		n := copy(p, s.text)
		s.text = s.text[n:]
		return n, nil
	}
	for s.skip > 0 {
		n, err := io.CopyN(io.Discard, s.src, s.skip)
		s.skip -= n
		if err != nil {
			return 0, err
		}
	}
	return s.src.Read(p)
}

// Close implements io.Closer.
func (s *spliced) Close() error { return s.src.Close() }
