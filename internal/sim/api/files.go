package api

import (
	"bytes"
	"net/http"
	"time"

	"outrigger/internal/sim/reply"
)

// file is an uploaded file. It does not change.
type file struct {
	id, purpose string
	created     time.Time
	content     *fileContent
}

func (f *file) object() reply.Object {
	return reply.Object{
		"object", "file", "id", f.id, "purpose", f.purpose, "filename", f.content.name, "bytes", f.content.size,
		"created_at", f.created.Unix(), "expires_at", nil, "status", "processed", "status_details", nil,
	}
}

// fileStore is a store of files that is bounded in bytes too.
type fileStore struct {
	*store[*file]
	most int64
	held int64 // bytes, under the store's lock
}

func newFileStore(most int64) *fileStore {
	return &fileStore{store: newStore[*file](maxObjects), most: most}
}

func (s *fileStore) clear() {
	s.store.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = 0
}

// size is the number of files that are kept, and their bytes.
func (s *fileStore) size() (files int, held int64) { //nolint:nonamedreturns // the names tell them apart
	files = s.store.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	return files, s.held
}

// keep adds the file, and drops the oldest until all fit.
func (s *fileStore) keep(f *file) {
	gone, evicted := s.add(f.id, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += int64(len(f.content.data))
	for {
		if evicted {
			s.held -= int64(len(gone.content.data))
		}
		if s.held <= s.most {
			return
		}
		if gone, evicted = s.oldest(); !evicted {
			return
		}
	}
}

// drop deletes a file and reports whether there was one.
func (s *fileStore) drop(id string) bool {
	f, ok := s.remove(id)
	if ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held -= int64(len(f.content.data))
	}
	return ok
}

// upload is POST files.
func (c *Request) upload() (Work, *reply.Error) {
	form, err := c.readForm(c.api.cfg.StoreMax)
	if err != nil {
		return nil, err
	}
	content := form.files["file"]
	switch {
	case content == nil:
		return nil, reply.Missing("file")
	case form.fields["purpose"] == "":
		return nil, reply.Missing("purpose")
	}
	return func() reply.Answer {
		f := &file{id: c.api.ids.Next("file-"), purpose: form.fields["purpose"], created: time.Now(), content: content}
		c.api.files.keep(f)
		a := reply.JSON(http.StatusOK, f.object())
		a.Object = f.id
		return a
	}, nil
}

// listFiles is GET files.
func (c *Request) listFiles() (Work, *reply.Error) {
	purpose := c.r.URL.Query().Get("purpose")
	keep := func(f *file) bool { return purpose == "" || f.purpose == purpose }
	return listing(c, c.api.files.store, keep, (*file).object)
}

// getFile is GET files/{id}.
func (c *Request) getFile() (Work, *reply.Error) {
	f, err := c.findFile()
	if err != nil {
		return nil, err
	}
	return func() reply.Answer { return reply.JSON(http.StatusOK, f.object()) }, nil
}

func (c *Request) findFile() (*file, *reply.Error) {
	f, ok := c.api.files.find(c.args[0])
	if !ok {
		return nil, reply.NotFound("No such File object: " + c.args[0])
	}
	return f, nil
}

// fileContent is GET files/{id}/content; a Range is honoured.
func (c *Request) fileContent() (Work, *reply.Error) {
	f, err := c.findFile()
	if err != nil {
		return nil, err
	}
	if f.content.data == nil && f.content.size > 0 {
		return nil, reply.NotFound("The content of File object " + f.id + " was too large to keep.")
	}
	return func() reply.Answer {
		recorded := rangeRecorder{header: http.Header{}}
		recorded.header.Set("Content-Type", "application/octet-stream")
		http.ServeContent(&recorded, c.r, "", f.created, bytes.NewReader(f.content.data))
		recorded.header.Del("Content-Length")
		recorded.header.Set("Content-Disposition", `attachment; filename="`+safeName(f.content.name)+`"`)
		return reply.Answer{
			Status: recorded.status, ContentType: recorded.header.Get("Content-Type"),
			Header: recorded.header, Body: recorded.body.Bytes(),
		}
	}, nil
}

// rangeRecorder keeps what http.ServeContent answers.
type rangeRecorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *rangeRecorder) Header() http.Header         { return r.header }
func (r *rangeRecorder) WriteHeader(status int)      { r.status = status }
func (r *rangeRecorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// safeName leaves out what would end the quoted string of a header.
func safeName(name string) string {
	out := make([]rune, 0, len(name))
	for _, r := range name {
		if r < ' ' || r == '"' || r == '\\' || r > '~' {
			r = '_'
		}
		out = append(out, r)
	}
	return string(out)
}

// deleteFile is DELETE files/{id}.
func (c *Request) deleteFile() (Work, *reply.Error) {
	if _, err := c.findFile(); err != nil {
		return nil, err
	}
	return func() reply.Answer {
		if !c.api.files.drop(c.args[0]) {
			return c.ErrorAnswer(reply.NotFound("No such File object: " + c.args[0]))
		}
		return reply.JSON(http.StatusOK, reply.Object{"id", c.args[0], "object", "file", "deleted", true})
	}, nil
}
