package pick

// prompt is what one key at the top contributes to the input.
type prompt struct {
	bytes int
	parts int // that have the type of an image
	urls  int // data: URLs of images
}

// add counts a text that has ended.
func (p *prompt) add(text dataURL) {
	switch {
	case text.state != urlData:
		p.bytes += text.n
	case text.image:
		p.urls++
	}
}

// images counts an image once, though its part is typed and its bytes are a data:
// URL. Images elsewhere (file IDs, https: URLs) have the type alone, and in the JSON
// form of images/edits the URL alone.
func (p *prompt) images() int { return max(p.parts, p.urls) }

// isImage reports whether a part of this type is an image: chat, Responses, messages.
func isImage(partType []byte) bool {
	switch string(partType) {
	case "image_url", "input_image", "image":
		return true
	default:
		return false
	}
}

// acting are the beginnings of the types of tools that do something in the world
// when the upstream runs them; versions and "_preview" follow. Sources: OpenAI
// Responses (mcp, computer…, shell, local_shell, code_interpreter, whose container is
// made), Anthropic (mcp_toolset, code_execution_…), Azure agents (openapi,
// azure_function, browser_automation_preview, a2a_preview).
var acting = []string{
	"mcp", "computer", "shell", "local_shell", "code_interpreter",
	"code_execution", "openapi", "azure_function", "browser_automation", "a2a",
}

// acts reports whether a tool of this type acts.
func acts(toolType []byte) bool {
	for _, prefix := range acting {
		if len(toolType) >= len(prefix) && string(toolType[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}
