package pick

import (
	"bytes"

	"outrigger/policy/endpoint"
)

// picks is what the scanner's tokens mean. Depth is the number of containers
// that are open where a token stands: 1 is the top of the body.
type picks struct {
	top   key   // the key at the top that the token belongs to
	inner inner // the key of the value, within a prompt
	below int   // objects that are open below the top

	model   name
	tier    word
	flags   [keyTools + 1]bool
	numbers [keyN + 1 - keyMax]int
	config  [2]int // Gemini's: the limit of tokens, and of candidates
	given   endpoint.Members
	prompts [keySystemInstruction + 1 - keyTools]prompt
	acting  bool // the tool that is being read acts

	word word
	url  dataURL
}

// forget takes back what an earlier value of the key at the top said.
func (p *picks) forget() {
	switch {
	case p.top == keyModel:
		p.model.complete = false
	case p.top == keyTier:
		p.tier.begin()
	case p.top.isNumber():
		*p.number() = 0
	case p.top.isPrompt():
		*p.prompt() = prompt{}
	case p.top == keyGeneration:
		p.config = [2]int{}
	}
	p.given &^= p.top.member()
	if p.top <= keyTools {
		p.flags[p.top] = false
	}
}

func (p *picks) number() *int    { return &p.numbers[p.top-keyMax] }
func (p *picks) prompt() *prompt { return &p.prompts[p.top-keyTools] }

// beginValue sees the first byte of each value.
func (p *picks) beginValue(c byte, depth int) {
	if depth == 1 && c != 'n' && (p.top != keyMessages || c == '[') {
		p.given |= p.top.member()
	}
	switch p.top {
	case keyConversation:
		if depth == 1 {
			p.flags[keyConversation] = c != 'n' // null is the only value with an n
		}
	case keyServers:
		p.flags[keyServers] = p.flags[keyServers] || depth > 1
	}
}

// roleOf returns what a string value is read for.
func (p *picks) roleOf(depth int) role {
	switch {
	case depth == 1 && p.top == keyModel:
		return roleModel
	case depth == 1 && p.top == keyTier:
		return roleTier
	case !p.top.isPrompt():
		return rolePassed
	case depth == 1 || p.inner == innerOther:
		return rolePrompt
	case p.inner == innerType, p.inner == innerMedia:
		return roleType
	default:
		return rolePassed
	}
}

// begin sees the start of a string.
func (p *picks) begin() {
	p.word.begin()
	p.url = dataURL{}
}

// add sees a piece of a string, unescaped.
func (p *picks) add(r role, text []byte) {
	switch r {
	case roleKey, roleTier:
		p.word.add(text)
	case roleModel:
		p.model.add(text)
	case roleType:
		p.word.add(text)
		p.url.add(text)
	case rolePrompt:
		p.url.add(text)
	case rolePassed:
	}
}

// finish sees the end of a string.
func (p *picks) finish(r role, depth int) {
	switch r {
	case roleKey:
		p.gotKey(depth)
	case roleModel:
		p.model.complete = true
	case roleTier:
		p.tier = p.word
	case roleType:
		p.gotType(depth)
		p.prompt().add(p.url)
	case rolePrompt:
		p.prompt().add(p.url)
	case rolePassed:
	}
}

func (p *picks) gotKey(depth int) {
	if depth == 1 {
		p.top = topKey(p.word.bytes())
		p.forget()
		return
	}
	p.inner = innerOther
	switch {
	case p.top.isPrompt():
		p.inner = innerKey(p.word.bytes())
	case p.top == keyGeneration && depth == 2:
		if p.inner = configKey(p.word.bytes()); p.inner != innerOther {
			p.config[p.inner-innerLimit] = 0
		}
	}
	if p.inner == innerType && p.inTool(depth) {
		p.acting = false
	}
}

func (p *picks) gotType(depth int) {
	switch {
	case p.inner == innerMedia:
		if p.top != keyTools && bytes.HasPrefix(p.word.bytes(), []byte("image/")) {
			p.prompt().parts++
		}
	case p.inTool(depth):
		p.acting = acts(p.word.bytes())
	case p.top != keyTools && isImage(p.word.bytes()):
		p.prompt().parts++
	}
}

func (p *picks) gotNumber(depth int) {
	switch {
	case depth == 1 && p.top == keyN:
		*p.number() = within(&p.word, maxChoices)
	case depth == 1 && p.top.isNumber():
		*p.number() = within(&p.word, maxTokenLimit)
	case depth == 2 && p.top == keyGeneration && p.inner == innerLimit:
		p.config[0] = within(&p.word, maxTokenLimit)
	case depth == 2 && p.top == keyGeneration && p.inner == innerCandidates:
		p.config[1] = within(&p.word, maxChoices)
	case depth > 1 && p.below == 0 && (p.top == keyInput || p.top == keyPrompt):
		p.prompt().bytes += bytesPerToken // a token that the caller encoded
	}
}

func (p *picks) gotLiteral(isTrue bool, depth int) {
	if depth == 1 && p.top.isFlag() {
		p.flags[p.top] = isTrue
	}
}

// entered sees a container open; it is the one at depth.
func (p *picks) entered(object bool, depth int) {
	p.inner = innerOther
	if object && depth > 1 {
		p.below++
	}
}

// left sees the container at depth close.
func (p *picks) left(object bool, depth int) {
	if object && p.inTool(depth) {
		p.flags[keyTools] = p.flags[keyTools] || p.acting
		p.acting = false
	}
	p.inner = innerOther
	if object && depth > 1 {
		p.below--
	}
}

// inTool reports whether what stands at depth is directly in one of the tools: an
// object in the array under "tools".
func (p *picks) inTool(depth int) bool { return p.top == keyTools && depth == 3 && p.below == 1 }

func (p *picks) facts() Facts {
	var f Facts
	p.model.put(&f)
	f.Tier = p.tier.tier()
	f.Stream = p.flags[keyStream]
	f.Store = p.flags[keyStore]
	f.Background = p.flags[keyBackground]
	f.Conversation = p.flags[keyConversation]
	f.ActingTools = p.flags[keyTools] || p.flags[keyServers]
	f.N = max(p.numbers[keyN-keyMax], p.config[1])
	f.MaxTokens = max(p.numbers[0], p.numbers[keyMaxCompletion-keyMax], p.numbers[keyMaxOutput-keyMax], p.config[0])
	f.Members = p.given
	if f.Model != "" {
		f.Members |= endpoint.HasModel
	}
	for _, prompt := range p.prompts {
		f.PromptBytes += prompt.bytes
		f.Images += prompt.images()
	}
	return f
}
