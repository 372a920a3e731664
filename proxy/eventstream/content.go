package eventstream

import (
	"bytes"

	"outrigger/policy/endpoint"
)

// content is what the choices of one event, or of all events up to now, say.
type content struct {
	spoken choices // choices with text, a tool call or a thought
	answer bool    // one of them has more than a thought
	extra  bool    // a choice has something that is neither known nor empty
}

// saysMember returns what a member of a choice's delta is. A role, a name or an id are
// no content. What is not known is not taken for content, but for something to pass on
// at once.
func saysMember(name []byte) member {
	switch string(name) {
	case "role", "name", "id", "type", "object", "index", "thought":
		return memberOther
	case "content", "parts":
		return memberParts
	case "text", "refusal", "tool_calls", "function_call", "audio", "images",
		"functionCall", "inlineData", "executableCode", "codeExecutionResult", "fileData":
		return memberContent
	}
	if bytes.HasPrefix(name, []byte("reason")) || bytes.HasPrefix(name, []byte("think")) {
		return memberThought // reasoning_content, reasoning, reasoning_details, thinking, thinking_blocks
	}
	return memberExtra
}

// says notes that the choice at hand has a member or element that is not empty.
func (s *scanner) says(m member) {
	switch m {
	case memberContent, memberParts, memberDelta:
		s.spoke, s.answer = true, true
	case memberThought:
		s.spoke = true
	case memberExtra:
		s.extra = true
	}
}

// saysPlace notes that a container of a delta is not empty.
func (s *scanner) saysPlace() {
	switch s.place {
	case placeContent:
		s.says(memberContent)
	case placeThought:
		s.says(memberThought)
	case placeExtra:
		s.says(memberExtra)
	}
}

// kindIn returns what an event of dialect d says about the answer by its data.
func kindIn(d endpoint.Dialect, f *facts) kind {
	var k kind
	if f.failed || f.aborted {
		k |= kindError
	}
	if f.stopped && d == endpoint.Gemini {
		k |= kindEnd // the prompt was blocked: no candidate follows
	}
	return k
}

// empty tells of a chunk that only opens the answer, fills a pause or tells of the prompt:
// nothing of the answer would be lost with it. A role alone, Azure's prompt_filter_results,
// an empty object.
func (f *facts) empty() bool {
	quiet := f.spoken == choices{} && f.finished == choices{} && !f.beyond && !f.extra && !f.stopped
	return quiet && (f.listed || !f.filled) && f.kind.n == 0
}
