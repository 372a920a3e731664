package usage

import "outrigger/internal/jsonscan"

// Field is one count of a usage. The zero value is none.
type Field uint8

const (
	none       Field = iota
	prompt           // all of the prompt
	toolPrompt       // beside it
	input            // of the prompt what no cache held
	cacheRead        // beside input
	cacheWrite       // beside input
	completion       // all of the completion
	thoughts         // beside it
	fields           // how many there are
)

// FieldOf returns what a member of a usage with this name counts.
func FieldOf(name []byte) Field {
	switch string(name) {
	case "prompt_tokens", "promptTokenCount":
		return prompt
	case "toolUsePromptTokenCount":
		return toolPrompt
	case "input_tokens", "inputTokens":
		return input
	case "cache_read_input_tokens", "cacheReadInputTokens":
		return cacheRead
	case "cache_creation_input_tokens", "cacheWriteInputTokens":
		return cacheWrite
	case "completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount":
		return completion
	case "thoughtsTokenCount":
		return thoughts
	}
	return none
}

// Named reports whether a member with this name is a usage, where one may stand.
func Named(name []byte) bool { return string(name) == "usage" || string(name) == "usageMetadata" }

// Holds reports whether a member with this name, at the top, may hold a usage.
func Holds(name []byte) bool {
	return string(name) == "response" || string(name) == "message" || string(name) == "x_groq"
}

// Counts are what an answer says it took, in tokens. The zero value says nothing. Two of
// them are equal if they say the same.
type Counts struct {
	n    [fields]int64
	seen [fields]bool
}

// Set notes the value of a field, as it is written in JSON. What is no whole number of
// up to 18 digits is no count, and takes an earlier one back.
func (c *Counts) Set(f Field, value []byte) {
	if f == none {
		return
	}
	c.n[f], c.seen[f] = number(value)
}

// number returns the whole number that value is, and whether it is one.
func number(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// Merge takes over what a later usage says.
func (c *Counts) Merge(later *Counts) {
	for f, seen := range later.seen {
		if seen {
			c.n[f], c.seen[f] = later.n[f], true
		}
	}
}

// Prompt returns the tokens of the prompt, 0 if it is not said.
func (c *Counts) Prompt() int64 {
	switch {
	case c.seen[prompt]:
		return c.n[prompt] + c.n[toolPrompt]
	case c.seen[input]:
		return c.n[input] + c.n[cacheRead] + c.n[cacheWrite]
	}
	return 0
}

// Completion returns the tokens of the completion, 0 if it is not said.
func (c *Counts) Completion() int64 { return c.n[completion] + c.n[thoughts] }

// Of returns what a whole JSON answer says.
func Of(answer []byte) Counts {
	var c Counts
	m := jsonscan.MembersOf(answer)
	if m.Object() {
		c.top(m)
		return c
	}
	for { // Gemini's stream as a list
		_, chunk, ok := m.Next()
		if !ok {
			return c
		}
		if m := jsonscan.MembersOf(chunk); m.Object() {
			c.top(m)
		}
	}
}

// top reads the members of an answer.
func (c *Counts) top(m jsonscan.Members) {
	for {
		name, value, ok := m.Next()
		switch {
		case !ok:
			return
		case Named(name):
			c.usage(value)
		case Holds(name):
			c.held(value)
		}
	}
}

// held reads an object that may hold a usage.
func (c *Counts) held(value []byte) {
	m := jsonscan.MembersOf(value)
	for m.Object() {
		name, value, ok := m.Next()
		if !ok {
			return
		}
		if Named(name) {
			c.usage(value)
		}
	}
}

// usage reads a usage.
func (c *Counts) usage(value []byte) {
	m := jsonscan.MembersOf(value)
	for m.Object() {
		name, value, ok := m.Next()
		if !ok {
			return
		}
		c.Set(FieldOf(name), value)
	}
}
