package proxy

import "bytes"

// usage returns the token counts that a JSON answer tells, those of the prompt and
// of the completion, 0 where it tells none.
//
// The answer is searched, not decoded: it may have a megabyte, and this is on
// every request's path. Inside a JSON string a quote is escaped, so a name with
// its quotes is found only where it is a name. The last usage object counts: it
// stands at the end of chat completions, responses and embeddings.
func usage(answer []byte) (int64, int64) {
	at := bytes.LastIndex(answer, []byte(`"usage"`))
	if at < 0 {
		return 0, 0
	}
	object := answer[at:]
	return numberAfter(object, `"prompt_tokens"`, `"input_tokens"`),
		numberAfter(object, `"completion_tokens"`, `"output_tokens"`)
}

// numberAfter returns the whole number that is the value of the first of names
// that object has, or 0.
func numberAfter(object []byte, names ...string) int64 {
	for _, name := range names {
		at := bytes.Index(object, []byte(name))
		if at < 0 {
			continue
		}
		rest := bytes.TrimLeft(object[at+len(name):], ": \t\r\n")
		n := int64(0)
		for i := 0; i < len(rest) && i < 15 && rest[i] >= '0' && rest[i] <= '9'; i++ {
			n = n*10 + int64(rest[i]-'0')
		}
		return n
	}
	return 0
}
