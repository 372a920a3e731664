package pick

import "outrigger/internal/jsonscan"

// maxDepth is how deep objects and arrays may nest.
const maxDepth = jsonscan.MaxDepth

// object reads one JSON object. Make it with newObject.
type object struct {
	picks
	scan    jsonscan.Scanner
	not     bool               // what was read is no JSON object
	begun   bool               // a piece of the string or scalar at hand was read
	role    role               // of the string at hand
	escapes jsonscan.Unescaper // of that string
	offset  int64              // after the token at hand
}

// role is what a string is read for.
type role uint8

const (
	rolePassed role = iota // nothing
	roleKey
	roleModel
	rolePrompt // its length counts
	roleTier   // the service tier
	roleType   // a "type" in the prompt or the tools: it counts and is looked at
)

func newObject() object { return object{scan: jsonscan.New(jsonscan.Strict)} }

// write reads p, the next bytes of the body.
func (o *object) write(p []byte) {
	for len(p) > 0 && !o.not {
		token, text, n := o.scan.Next(p)
		p = p[n:]
		o.offset += int64(n)
		o.read(token, text)
	}
}

// read takes one token.
func (o *object) read(token jsonscan.Token, text []byte) {
	depth := o.scan.Depth()
	switch token {
	case jsonscan.NamePart, jsonscan.Name:
		if !o.begun {
			o.beginString(roleKey)
		}
		o.piece(token == jsonscan.Name, text, depth)
	case jsonscan.TextPart, jsonscan.Text:
		if !o.begun {
			o.beginValue('"', depth)
			o.beginString(o.roleOf(depth))
			o.startsAt(token, text)
		}
		o.piece(token == jsonscan.Text, text, depth)
	case jsonscan.ScalarPart, jsonscan.Scalar:
		o.scalar(token == jsonscan.Scalar, text, depth)
	case jsonscan.BeginObject:
		o.beginValue('{', depth-1)
		o.entered(true, depth)
	case jsonscan.BeginArray:
		o.beginValue('[', depth-1)
		o.entered(false, depth)
		depth-- // at the top it is no object
	case jsonscan.EndObject:
		o.left(true, depth+1)
		return
	case jsonscan.EndArray:
		o.left(false, depth+1)
	case jsonscan.More:
		return
	}
	o.not = depth == 0 || o.scan.State() == jsonscan.NoJSON
}

// beginString begins a string.
func (o *object) beginString(r role) {
	o.begun, o.role = true, r
	o.escapes.Reset()
	o.begin()
}

// startsAt notes where the model's name stands that begins with text.
func (o *object) startsAt(token jsonscan.Token, text []byte) {
	if o.role != roleModel {
		return
	}
	start := o.offset - int64(len(text))
	if token == jsonscan.Text {
		start-- // the quote
	}
	o.model.begin(start)
}

// piece takes the next piece of a string, and its end.
func (o *object) piece(last bool, text []byte, depth int) {
	switch {
	case o.role == rolePassed:
	case o.scan.Escaped():
		for len(text) > 0 {
			var plain []byte
			plain, text = o.escapes.Next(text)
			o.add(o.role, plain)
		}
		if last {
			o.add(o.role, o.escapes.End())
		}
	default:
		o.add(o.role, text)
	}
	if !last {
		return
	}
	if o.role == roleModel {
		o.model.end = o.offset - 1
	}
	o.begun = false
	o.finish(o.role, depth)
}

// scalar takes the next piece of a number or literal, and its end.
func (o *object) scalar(last bool, text []byte, depth int) {
	if !o.begun {
		o.begun = true
		o.beginValue(text[0], depth)
		o.word.begin()
	}
	o.word.add(text)
	if !last {
		return
	}
	o.begun = false
	switch c := o.word.text[0]; c {
	case 't', 'f', 'n':
		o.gotLiteral(c == 't', depth)
	default:
		o.gotNumber(depth)
	}
}

func (o *object) facts() Facts {
	f := o.picks.facts()
	if f.Valid = !o.not && o.scan.State() == jsonscan.Whole; !f.Valid {
		f.Members = 0 // a shape is that of a whole
	}
	return f
}
