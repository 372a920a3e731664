package reply

import (
	"bytes"
	"encoding/json"
)

// Object is a JSON object whose members keep their order: names and values in
// turn. Real events begin with their type, and those who watch streams rely on it.
type Object []any

// MarshalJSON writes the members in order.
func (o Object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i := 0; i+1 < len(o); i += 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(o[i])
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o[i+1])
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Put sets the member of that name, at its place if it is there already.
func (o *Object) Put(name string, value any) {
	for i := 0; i+1 < len(*o); i += 2 {
		if (*o)[i] == name {
			(*o)[i+1] = value
			return
		}
	}
	*o = append(*o, name, value)
}
