package pick

// dataURL measures a text and tells whether it is a base64 data: URL (RFC 2397). It
// decides on the first 128 bytes, in full: a prompt may well begin with "data:". The
// zero value is an empty text.
type dataURL struct {
	n     int // bytes so far
	state urlState
	image bool
	tail  uint64 // the latest eight bytes of its beginning
}

type urlState uint8

const (
	urlOpen urlState = iota // may be one
	urlText                 // is none
	urlData                 // is one
)

const (
	urlScheme = "data:"
	urlImage  = "data:image/"
	urlMost   = 128 // the longest registered media types have about 80
	// urlMark, as bytes, is what ends the beginning: ";base64".
	urlMark = ';'<<48 | 'b'<<40 | 'a'<<32 | 's'<<24 | 'e'<<16 | '6'<<8 | '4'
)

func (u *dataURL) add(p []byte) {
	for i := 0; i < len(p) && u.state == urlOpen; i++ {
		u.look(p[i], u.n+i)
	}
	u.n += len(p)
}

// look reads byte c at position i of the text.
func (u *dataURL) look(c byte, i int) {
	switch {
	case i < len(urlScheme):
		if c != urlScheme[i] {
			u.state = urlText
		}
		u.image = true
	case c == ',':
		u.state = urlText
		if u.tail&(1<<56-1) == urlMark {
			u.state = urlData
		}
	case i >= urlMost || !inMediaType(c):
		u.state = urlText
	}
	u.tail = u.tail<<8 | uint64(c)
	if i < len(urlImage) && c != urlImage[i] {
		u.image = false
	}
}

// inMediaType reports whether c may stand in a media type with parameters.
func inMediaType(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	default:
		return c == '/' || c == '+' || c == '-' || c == '.' || c == ';' || c == '=' || c == '_'
	}
}
