package proxy

import (
	"regexp"
	"strings"
)

// keyPattern finds what looks like a credential in an upstream's message: OpenAI
// quotes part of the key in its 401 ("Incorrect API key provided: sk-4jwn***").
var keyPattern = regexp.MustCompile(`(?i)\b(?:sk|pk|gsk|xai|key|sess|r8|or)-[A-Za-z0-9_*.\-]{4,}|\bAIza[A-Za-z0-9_\-]{10,}|\bBearer\s+\S+|[A-Za-z0-9]*\*{3,}[A-Za-z0-9]*`)

// maxMessage bounds an upstream's message in a log line.
const maxMessage = 300

// maskKeys hides credentials in a message that goes to the log.
func maskKeys(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return strings.ToValidUTF8(keyPattern.ReplaceAllString(message, "[key]"), "?")
}

// maxPath bounds a path in a log line.
const maxPath = 200

// loggable bounds a caller's path for the log.
func loggable(path string) string {
	if len(path) > maxPath {
		path = path[:maxPath] + "..."
	}
	return strings.ToValidUTF8(path, "?")
}

// maxLabel bounds a model's name as a label value.
const maxLabel = 64

// labelText makes a caller's text a valid label value.
func labelText(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	return strings.ToValidUTF8(s, "?")
}
