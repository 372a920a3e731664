package sim

import (
	"bytes"
	"net/http"
	"time"
)

// file is an uploaded file. It does not change.
type file struct {
	id, purpose string
	created     time.Time
	content     *fileContent
}

func (f *file) object() object {
	return object{
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
func (c *call) upload() (work, *apiError) {
	form, err := c.readForm(c.sim.cfg.StoreMax)
	if err != nil {
		return nil, err
	}
	content := form.files["file"]
	switch {
	case content == nil:
		return nil, missing("file")
	case form.fields["purpose"] == "":
		return nil, missing("purpose")
	}
	return func() answer {
		f := &file{id: c.sim.ids.next("file-"), purpose: form.fields["purpose"], created: time.Now(), content: content}
		c.sim.files.keep(f)
		a := jsonAnswer(http.StatusOK, f.object())
		a.object = f.id
		return a
	}, nil
}

// listFiles is GET files.
func (c *call) listFiles() (work, *apiError) {
	purpose := c.r.URL.Query().Get("purpose")
	keep := func(f *file) bool { return purpose == "" || f.purpose == purpose }
	return listing(c, c.sim.files.store, keep, (*file).object)
}

// getFile is GET files/{id}.
func (c *call) getFile() (work, *apiError) {
	f, err := c.findFile()
	if err != nil {
		return nil, err
	}
	return func() answer { return jsonAnswer(http.StatusOK, f.object()) }, nil
}

func (c *call) findFile() (*file, *apiError) {
	f, ok := c.sim.files.find(c.args[0])
	if !ok {
		return nil, notFound("No such File object: " + c.args[0])
	}
	return f, nil
}

// fileContent is GET files/{id}/content; a Range is honoured.
func (c *call) fileContent() (work, *apiError) {
	f, err := c.findFile()
	if err != nil {
		return nil, err
	}
	if f.content.data == nil && f.content.size > 0 {
		return nil, notFound("The content of File object " + f.id + " was too large to keep.")
	}
	return func() answer {
		recorded := rangeRecorder{header: http.Header{}}
		recorded.header.Set("Content-Type", "application/octet-stream")
		http.ServeContent(&recorded, c.r, "", f.created, bytes.NewReader(f.content.data))
		recorded.header.Del("Content-Length")
		recorded.header.Set("Content-Disposition", `attachment; filename="`+safeName(f.content.name)+`"`)
		return answer{
			status: recorded.status, contentType: recorded.header.Get("Content-Type"),
			header: recorded.header, body: recorded.body.Bytes(),
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
func (c *call) deleteFile() (work, *apiError) {
	if _, err := c.findFile(); err != nil {
		return nil, err
	}
	return func() answer {
		if !c.sim.files.drop(c.args[0]) {
			return notFound("No such File object: " + c.args[0]).answer(c)
		}
		return jsonAnswer(http.StatusOK, object{"id", c.args[0], "object", "file", "deleted", true})
	}, nil
}
