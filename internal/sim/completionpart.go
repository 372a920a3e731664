package sim

import "strconv"

// completionPart writes the objects of one chat or legacy completion.
type completionPart struct {
	form   form
	head   []byte // of each chunk, up to the choices
	tokens int
	finish string
	n      int    // choices
	usage  []byte // object
}

// whole returns the answer in one piece, after head.
func (p completionPart) whole(head []byte) []byte {
	text := words(p.tokens)
	b := head
	for i := range p.n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, ',')
		b = p.form.appendChoice(b, text)
		b = append(b, `,"logprobs":null,"finish_reason":"`...)
		b = append(b, p.finish...)
		b = append(b, `"}`...)
	}
	b = append(b, `],"usage":`...)
	b = append(b, p.usage...)
	return append(b, '}')
}

// stream emits the chunks: for each choice the role (chat), the tokens in turn and
// the reason of the end; then the usage if it was asked for; then [DONE].
func (p completionPart) stream(emit func(event) bool) {
	var b []byte
	for i := p.form.first(); i <= p.tokens; i++ {
		for choice := range p.n {
			b = p.chunk(b[:0], choice, i)
			tokens := 0
			if choice == 0 && i >= 0 && i < p.tokens {
				tokens = 1
			}
			if !emit(event{data: b, tokens: tokens}) {
				return
			}
		}
	}
	if p.form.usage() {
		b = append(append(b[:0], p.head...), `],"usage":`...)
		b = append(append(b, p.usage...), '}')
		if !emit(event{data: b}) {
			return
		}
	}
	emit(event{data: []byte("[DONE]")})
}

// chunk is one chunk with one choice; i = p.tokens is the end.
func (p completionPart) chunk(b []byte, choice, i int) []byte {
	end := i == p.tokens
	b = append(b, p.head...)
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(choice), 10)
	b = append(b, ',')
	b = p.form.appendDelta(b, i, end)
	if end {
		b = append(b, `,"logprobs":null,"finish_reason":"`...)
		b = append(b, p.finish...)
		b = append(b, `"}]`...)
	} else {
		b = append(b, `,"logprobs":null,"finish_reason":null}]`...)
	}
	if p.form.usage() {
		b = append(b, `,"usage":null`...)
	}
	return append(b, '}')
}
