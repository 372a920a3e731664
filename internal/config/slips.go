package config

import (
	"regexp"
	"strings"
)

// slip tells what is wrong with the text of any variable as it is often set by
// mistake, "" if nothing is: quotes that are not the shell's to take away (env files
// of Docker and systemd units keep some), and what was to be replaced by a value.
func slip(text string) string {
	switch {
	case isQuoted(text):
		return "want it without the quotes around it"
	case unexpanded.MatchString(text):
		return "want a value: it still names a variable or template that was to be replaced"
	}
	return ""
}

// isQuoted reports whether text stands in quotes, typographic ones among them.
func isQuoted(text string) bool {
	text = strings.TrimSpace(text)
	for _, pair := range [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}} {
		if len(text) >= len(pair[0])+len(pair[1]) && strings.HasPrefix(text, pair[0]) && strings.HasSuffix(text, pair[1]) {
			return true
		}
	}
	return false
}

// unexpanded matches ${VAR}, $(VAR) of Kubernetes, {{ templates }} and $VAR alone.
var unexpanded = regexp.MustCompile(`\$\{[A-Za-z_][^}]*\}|\$\([A-Za-z_]\w*\)|\{\{.*\}\}|^\$[A-Za-z_]\w*$`)

// keySlip tells what is wrong with a key or token that no header can carry as it was
// meant, or that stands for one, and "" if nothing is. It never quotes the text.
// Any other text may be a key: servers nearby take what they are given ("EMPTY", "x").
func keySlip(text string) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case hasMark(text):
		return "without the byte order mark at the start: save the file as UTF-8 without one"
	case scheme.MatchString(trimmed):
		return "alone, without a scheme such as Bearer in front: it is added where it belongs"
	case named.MatchString(trimmed):
		return "alone, without a name in front"
	case isPlaceholder(trimmed):
		return "in place of the placeholder that stands there"
	case strings.ContainsAny(text, "\r\n"):
		return "in one line, without line breaks"
	case text != trimmed:
		return "without white space at either end"
	case !isToken(text):
		return "of visible ASCII characters"
	}
	return ""
}

// hasMark reports whether text begins as an editor's UTF-8 with a mark or UTF-16 does.
func hasMark(text string) bool {
	return strings.HasPrefix(text, "\ufeff") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
}

var (
	// scheme matches the start of an Authorization header's value.
	scheme = regexp.MustCompile(`(?i)^(bearer|basic|token|apikey)[\s:]`)
	// named matches a key with its header's or variable's name before it.
	named = regexp.MustCompile(`^(export\s|[A-Za-z][\w-]*:\s|[A-Z][A-Z0-9_]*_(KEY|TOKEN)=\S)`)
)

// placeholder matches what documentation puts in place of a key: <your key>, sk-...,
// sk-xxxx, ****, your-api-key, OPENAI_API_KEY.
var placeholder = regexp.MustCompile(`^<.*>$|^\{.*\}$|\.\.\.|…|\*{3}|^sk-([a-z]+-)*[xX]{3,}$` +
	`|^(sk-)?(?i:(your|insert|enter|replace)[-_ ]+([a-z0-9]+[-_ ]+)*(key|token|secret)([-_ ]+here)?)$|^[A-Z][A-Z0-9_]*_(KEY|TOKEN)$|^(NAME|KEY|TOKEN|SECRET)$`)

func isPlaceholder(text string) bool { return placeholder.MatchString(text) }
