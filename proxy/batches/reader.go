package batches

import (
	"strconv"

	"outrigger/internal/jsonscan"
)

const (
	// longest is the longest text that is kept of an answer. Ids have some 30 bytes.
	longest = 128
	// levels is how deep a batch's members are looked for: errors.data[0].code in a list.
	levels = 8
)

// Reader reads one answer. Make it with Batches.Reader. Not safe for concurrent use.
type Reader struct {
	tell func(*Batch)

	json  jsonscan.Scanner
	names [levels]string // of the open members, from the top
	text  []byte         // of the name or value at hand, as far as it is kept
	base  int            // depth of the batch at hand: 1, or 3 in a list; 0 is none
	is    bool           // it says of itself that it is a batch
	batch Batch
}

// Write implements io.Writer. It always returns len(p) and nil.
func (r *Reader) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		token, text, n := r.json.Next(rest)
		rest = rest[n:]
		switch token {
		case jsonscan.Name, jsonscan.NamePart, jsonscan.Text, jsonscan.TextPart, jsonscan.Scalar, jsonscan.ScalarPart:
			r.text = append(r.text, text[:min(len(text), longest-len(r.text))]...)
		case jsonscan.BeginObject:
			r.begin()
		case jsonscan.EndObject:
			r.end()
		}
		switch token {
		case jsonscan.Name:
			r.name()
		case jsonscan.Text, jsonscan.Scalar:
			r.value(token == jsonscan.Text)
		}
	}
	return len(p), nil
}

// name keeps the name of the member that follows.
func (r *Reader) name() {
	if depth := r.json.Depth(); depth <= levels {
		r.names[depth-1] = string(r.text)
	}
	r.text = r.text[:0]
}

// begin begins a batch at the top, or in the list at the top.
func (r *Reader) begin() {
	depth := r.json.Depth()
	if depth == 1 || depth == 3 && r.names[0] == "data" && !r.json.IsObject(2) {
		r.base, r.is, r.batch = depth, false, Batch{}
	}
	if depth <= levels {
		r.names[depth-1] = ""
	}
}

// end ends a batch.
func (r *Reader) end() {
	if r.base == 0 || r.json.Depth() != r.base-1 {
		return
	}
	if r.is && r.batch.ID != "" && r.batch.Status != "" {
		r.tell(&r.batch)
	}
	r.base = 0
}

// value takes in a member of the batch.
func (r *Reader) value(text bool) {
	defer func() { r.text = r.text[:0] }()
	depth := r.json.Depth()
	if r.base == 0 || depth > levels {
		return
	}
	b := &r.batch
	switch names := r.names[r.base-1:]; depth - r.base {
	case 0:
		r.member(names[0], text)
	case 1:
		if names[0] == "request_counts" && !text {
			b.count(names[1], string(r.text))
		}
	case 3: // in errors.data[]
		if names[0] == "errors" && names[1] == "data" && names[3] == "code" && text && b.ErrorCode == "" {
			b.ErrorCode = string(r.text)
		}
	}
}

// member takes in a direct member of the batch.
func (r *Reader) member(name string, text bool) {
	if !text {
		return // null
	}
	switch b := &r.batch; name {
	case "object":
		r.is = string(r.text) == "batch"
	case "id":
		b.ID = string(r.text)
	case "status":
		b.Status = statusOf(string(r.text))
	case "error_file_id":
		b.ErrorFile = string(r.text)
	}
}

func (b *Batch) count(name, number string) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return
	}
	switch name {
	case "total":
		b.Total = n
	case "completed":
		b.Completed = n
	case "failed":
		b.Failed = n
	}
}
