package sticky

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"net/http"
)

// sealed is the member with what an upstream encrypted for itself: reasoning and compacted
// turns, which a stateless caller sends back. Only the account that made it can read it
// (BerriAI/litellm#18094, BerriAI/litellm#22651: all others answer 400
// invalid_encrypted_content). It has kilobytes, and is known by a hash.
//
// Anthropic's signatures and redacted thinking are of another kind: they hold for all of its
// platforms. So what endpoints but those of Responses answer is not learned.
const sealed = "encrypted_content"

// Seals reports whether the answer to a call of an endpoint may have encrypted content. It
// binds later calls whether the upstream was asked to keep anything or not.
func Seals(endpoint, method string) bool {
	switch endpoint {
	case "responses":
		return method == http.MethodPost || method == http.MethodGet
	case "responses.compact":
		return method == http.MethodPost
	}
	return false
}

const (
	// shortestSeal is fewer letters than any encryption has that cannot be guessed.
	shortestSeal = 32
	// longestHashed is how many letters of one are hashed; the others only count. The first
	// hundred tell: they have a random nonce.
	longestHashed = 64 << 10
)

// seal hashes one sealed string of a scanner: its letters and digits, so that the ways in
// which JSON and base64 write the others do not matter: some writers escape + and /.
// The zero value reads none.
type seal struct {
	visit func(sum uint64) // nil where nobody asks
	seed  maphash.Seed

	open    bool
	hash    maphash.Hash
	letters int
	escape  bool // a backslash was read last
	digits  int  // of an escape that are still to come
}

// begin begins a member's string.
func (s *seal) begin(key []byte) {
	s.open = s.visit != nil && string(key) == sealed
	if s.open {
		s.hash.SetSeed(s.seed)
		s.letters, s.digits, s.escape = 0, 0, false
	}
}

// add reads raw text.
func (s *seal) add(p []byte) {
	for len(p) > 0 {
		switch {
		case s.escape:
			s.escape = false
			if p[0] == 'u' {
				s.digits = 4
			}
			p = p[1:]
			continue
		case s.digits > 0:
			s.digits--
			p = p[1:]
			continue
		}
		n := bytes.IndexAny(p, `+/=\`)
		if n < 0 {
			n = len(p)
		}
		if more := min(n, longestHashed-s.letters); more > 0 {
			_, _ = s.hash.Write(p[:more])
		}
		s.letters += n
		s.escape = n < len(p) && p[n] == '\\'
		p = p[min(n+1, len(p)):]
	}
}

// end ends the string.
func (s *seal) end() {
	s.open = false
	if s.letters < shortestSeal {
		return
	}
	_, _ = s.hash.Write(binary.BigEndian.AppendUint64(nil, uint64(s.letters)))
	s.visit(s.hash.Sum64())
}
