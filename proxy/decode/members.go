package decode

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
)

// members decodes gzip members one after the other. Unlike a gzip.Reader it tells when
// one has ended before it asks for more, and takes what follows the last one and is no
// member for nothing: zlib and its users do.
type members struct {
	r      *bufio.Reader
	z      *gzip.Reader
	number int
	begun  bool
	ended  func(bool) // is told true at the end of a member, false at the beginning of one
}

func newMembers(r io.Reader, ended func(bool)) *members {
	z, ok := gzips.free.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	return &members{r: bufio.NewReader(r), z: z, ended: ended}
}

// Read implements io.Reader.
func (m *members) Read(p []byte) (int, error) {
	for {
		if !m.begun {
			if m.number > 0 && !m.follows() {
				return 0, io.EOF
			}
			if err := m.next(); err != nil {
				return 0, err
			}
		}
		n, err := m.z.Read(p)
		if errors.Is(err, io.EOF) {
			m.begun, err = false, nil
			m.ended(true)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// follows reports whether another member does.
func (m *members) follows() bool {
	head, err := m.r.Peek(2)
	return err == nil && head[0] == 0x1f && head[1] == 0x8b
}

// next begins a member.
func (m *members) next() error {
	m.ended(false)
	err := m.z.Reset(m.r)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	m.z.Multistream(false)
	m.begun = true
	m.number++
	return nil
}

// Close gives the decoder back.
func (m *members) Close() error {
	_ = m.z.Reset(nothingLeft{}) // fails: there is no header
	gzips.free.Put(decoder(m.z))
	return nil
}

// nothingLeft is what a decoder in the pool reads from.
type nothingLeft struct{}

func (nothingLeft) Read([]byte) (int, error) { return 0, io.EOF }
func (nothingLeft) ReadByte() (byte, error)  { return 0, io.EOF }
