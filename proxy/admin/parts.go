package admin

import "strings"

// Part is the state of one part of the process, for /readyz?verbose. It tells; whether the
// process is ready does not depend on it.
type Part struct {
	Name string // one word
	OK   bool   // false where an operator should look
	Text string // one line, without secrets
}

// told returns a line for each part, as Kubernetes' own components write them:
// [+]name: text, or [-] where something is wrong.
func told(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		mark := "[-]"
		if p.OK {
			mark = "[+]"
		}
		b.WriteString("\n" + mark + p.Name + ": " + p.Text)
	}
	return b.String()
}
