package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"outrigger/internal/sim/reply"
)

// maxField bounds a form field that is not a file.
const maxField = 1 << 20

// maxParts bounds the parts of a form.
const maxParts = 1000

var errParts = errors.New("more than 1000 parts")

// formData is a multipart/form-data request.
type formData struct {
	fields map[string]string
	files  map[string]*fileContent // the last one of each name
}

// fileContent is an uploaded file.
type fileContent struct {
	name   string
	size   int64
	digest string // first 16 hex digits of SHA-256
	data   []byte // nil when it was larger than may be kept
}

// readForm reads the whole body. Files over keep bytes are digested and not kept.
func (c *Request) readForm(keep int64) (*formData, *reply.Error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, reply.Invalid("", "Could not parse multipart form: the Content-Type must be multipart/form-data with a boundary.")
	}
	body := io.TeeReader(c.r.Body, c.hash())
	parts := multipart.NewReader(body, params["boundary"])
	form := &formData{fields: map[string]string{}, files: map[string]*fileContent{}}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == nil && n == maxParts {
			err = errParts
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = form.add(part, keep)
		}
		if err != nil {
			return nil, c.errForm(err)
		}
	}
	if _, err := io.Copy(io.Discard, body); err != nil { // what follows the last boundary
		return nil, c.errForm(err)
	}
	return form, nil
}

func (f *formData) add(part *multipart.Part, keep int64) error {
	if part.FileName() == "" {
		value, err := io.ReadAll(io.LimitReader(part, maxField))
		f.fields[strings.TrimSuffix(part.FormName(), "[]")] = string(value)
		return err
	}
	file := &fileContent{name: Clip(part.FileName())}
	var kept bytes.Buffer
	digest := sha256.New()
	content := io.TeeReader(part, digest)
	n, err := io.Copy(&kept, io.LimitReader(content, keep+1))
	if err != nil {
		return err
	}
	rest, err := io.Copy(io.Discard, content)
	if err != nil {
		return err
	}
	file.size = n + rest
	file.digest = hex.EncodeToString(digest.Sum(nil)[:8])
	if file.size <= keep {
		file.data = kept.Bytes()
	}
	f.files[strings.TrimSuffix(part.FormName(), "[]")] = file
	return nil
}

func (c *Request) errForm(err error) *reply.Error {
	if c.r.Context().Err() != nil || errors.Is(err, http.ErrBodyReadAfterClose) {
		return errUnreadable(err)
	}
	return reply.Invalid("", "Could not parse multipart form: "+err.Error())
}
