package pick

// field is a form field that matters.
type field uint8

const (
	fieldOther field = iota
	fieldModel
	fieldStream
	fieldN
	fieldPrompt
	fieldImage
)

// fieldOf returns the field of this name. A part with a file name is a file, whatever
// its name says. Sources: openai/openai-openapi CreateTranscriptionRequest and
// CreateImageEditRequest; SDKs send a list of images as image[].
func fieldOf(name []byte, isFile bool) field {
	f := fieldOther
	switch string(name) {
	case "image", "image[]":
		return fieldImage
	case "model":
		f = fieldModel
	case "stream":
		f = fieldStream
	case "n":
		f = fieldN
	case "prompt":
		f = fieldPrompt
	}
	if isFile {
		return fieldOther
	}
	return f
}

// fields is what the parts of a form say.
type fields struct {
	current field
	word    word
	length  int // of the current part so far

	model  name
	stream bool
	n      int
	prompt int
	images int
}

// begin begins a part whose content starts at offset. What an earlier part of the
// same name said is forgotten: the last one counts.
func (s *fields) begin(what field, offset int64) {
	s.current, s.length = what, 0
	s.word.begin()
	switch what {
	case fieldModel:
		s.model.begin(offset)
	case fieldStream:
		s.stream = false
	case fieldN:
		s.n = 0
	case fieldPrompt:
		s.prompt = 0
	case fieldOther, fieldImage:
	}
}

// add takes the next bytes of the current part.
func (s *fields) add(p []byte) {
	switch s.current {
	case fieldModel:
		s.model.add(p)
	case fieldStream, fieldN:
		s.word.add(p)
	case fieldPrompt:
		s.length += len(p)
	case fieldOther, fieldImage:
	}
}

// endPart ends the current part, if there is one.
func (s *fields) endPart() {
	switch s.current {
	case fieldModel:
		s.model.complete = true
	case fieldStream:
		w := s.word.bytes()
		s.stream = equalFold(w, "true") || equalFold(w, "1") // Python clients may send True
	case fieldN:
		s.n = within(&s.word, maxChoices)
	case fieldPrompt:
		s.prompt = s.length
	case fieldImage:
		s.images++
	case fieldOther:
	}
	s.current = fieldOther
}

func (s *fields) facts() Facts {
	f := Facts{Stream: s.stream, N: s.n, PromptBytes: s.prompt, Images: s.images}
	s.model.put(&f)
	return f
}
