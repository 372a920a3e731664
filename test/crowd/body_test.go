package crowd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// filler is what bodies are filled with: text without anything that JSON or
// multipart would have to escape, and without a period that a lost block could hide in.
var filler = func() []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 1<<20+1)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return text
}()

// body describes one request body. Its bytes follow from it, so that neither side
// has to keep them.
type body struct {
	id     int
	size   int64 // of the filling, in bytes
	create bool  // an upload, else a chat request
}

func (b body) path() string {
	if b.create {
		return "/v1/files"
	}
	return "/v1/chat/completions"
}

func (b body) contentType() string {
	if b.create {
		return "multipart/form-data; boundary=crowd"
	}
	return "application/json"
}

// parts returns what comes before the filler and what comes after it.
func (b body) parts() (string, string) {
	if b.create {
		return fmt.Sprintf("--crowd\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"+
			"--crowd\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%d.jsonl\"\r\n\r\n", b.id), "\r\n--crowd--\r\n"
	}
	return fmt.Sprintf(`{"model":"gpt-4o","user":"%d","messages":[{"role":"user","content":"`, b.id), `"}]}`
}

// length is the length of the whole body.
func (b body) length() int64 {
	head, tail := b.parts()
	return int64(len(head)+len(tail)) + b.size
}

// reader yields the body.
func (b body) reader() io.Reader {
	head, tail := b.parts()
	return io.MultiReader(strings.NewReader(head), &filling{at: b.id * 7919 % len(filler), left: b.size}, strings.NewReader(tail))
}

// filling reads left bytes of the endlessly repeated filler.
type filling struct {
	at   int
	left int64
}

func (f *filling) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), f.left)], filler[f.at:])
	f.at = (f.at + n) % len(filler)
	f.left -= int64(n)
	return n, nil
}

// errCutOff is what check returns for a body that broke off.
var errCutOff = errors.New("cut off")

// check reads from to its end and tells how it differs from the body.
func (b body) check(from io.Reader) error {
	got, want := make([]byte, 64<<10), make([]byte, 64<<10)
	expected, at := b.reader(), int64(0)
	for {
		n, err := from.Read(got)
		if m, _ := io.ReadFull(expected, want[:n]); m < n {
			return fmt.Errorf("body %d is longer than the %d bytes that were sent", b.id, b.length())
		}
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("body %d differs after %d bytes", b.id, at)
		}
		at += int64(n)
		if err == io.EOF && at == b.length() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("body %d: %w after %d of %d bytes: %w", b.id, errCutOff, at, b.length(), err)
		}
	}
}
