package config

import (
	"os"
	"slices"
	"strings"

	"outrigger/proxy/settings"
)

// validate notes what no single tag can tell: values that contradict each other,
// and texts that are more than a text.
func validate(c *Settings, found *mistakes) {
	checkListeners(c, found)
	checkTLS(c, found)
	checkAccess(c, found)
	for _, u := range c.Upstreams {
		checkInjected(u, found)
	}
	checkFailover(c, found)
	checkSelf(c, found)
	checkExposure(c, found)
	checkOrder(c, found)
	checkSpool(c.Bodies.Dir, found)
	checkFleet(c.Fleet, found)
	checkMode(c, found)
}

// checkMode notes what observe mode cannot do: the name of a model stands in the body, which
// passes as it is.
func checkMode(c *Settings, found *mistakes) {
	if c.Mode == settings.ModeObserve && len(c.Upstreams) > 0 && len(c.Upstreams[0].Models) > 0 {
		found.add(Prefix+"MODE", string(c.Mode), "want enforce where "+upstreamPrefix(c.Upstreams[0].Name)+"MODELS is set: observe changes no request, and so renames no model")
	}
}

// checkOrder notes limits that lie over the limit of their limit.
func checkOrder(c *Settings, found *mistakes) {
	if c.Retry.Base > c.Retry.Cap && !found.have(Prefix+"RETRY_BASE", Prefix+"RETRY_CAP") {
		found.add(Prefix+"RETRY_BASE", c.Retry.Base.String(), "want at most "+Prefix+"RETRY_CAP, which is "+c.Retry.Cap.String())
	}
	if c.Bodies.BodyMemory > c.Bodies.BodyMax && !found.have(Prefix+"BODY_MEMORY", Prefix+"BODY_MAX") {
		found.add(Prefix+"BODY_MEMORY", c.Bodies.BodyMemory.String(), "want at most "+Prefix+"BODY_MAX, which is "+c.Bodies.BodyMax.String())
	}
}

// framing are the headers that net/http writes itself, or that end at the next
// hop (RFC 9110, section 7.6.1): setting them would break the connection.
var framing = []string{
	"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade",
}

// checkInjected notes what could not be put into a request to u.
func checkInjected(u settings.Upstream, found *mistakes) {
	of := upstreamPrefix(u.Name)
	if problem := keySlip(u.APIKey.Reveal()); problem != "" && !u.APIKey.IsZero() {
		found.add(of+"API_KEY", "", "want a key "+problem)
	}
	if u.AuthHeader != "" && !isHeader(u.AuthHeader) {
		found.add(of+"AUTH_HEADER", "", "want the name of a header, such as Authorization or api-key")
	}
	requested := map[string]bool{}
	for _, m := range u.Models {
		if strings.Contains(m.Sent, ";") {
			found.add(of+"MODELS", m.Requested, listSlip(m.Sent))
		}
		if requested[m.Requested] {
			found.add(of+"MODELS", m.Requested, "want each requested model once")
		}
		requested[m.Requested] = true
	}
	for _, p := range u.Headers {
		if !isHeader(p.Name) || !isHeaderValue(p.Value) {
			found.add(of+"HEADERS", "", "want names and values of headers that may be set")
			break
		}
	}
}

// isHeader reports whether name is a token (RFC 9110, section 5.6.2) and the name
// of a header that may be set.
func isHeader(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	const token = "!#$%&'*+-.^_`|~0123456789" + letters
	name = strings.ToLower(name)
	return name != "" && strings.Trim(name, token) == "" && !slices.Contains(framing, name)
}

// isHeaderValue reports whether text has no control characters (RFC 9110, section 5.5).
func isHeaderValue(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// checkSpool notes a directory that no file can be made in. The default, the
// system's, is not tried: without it small bodies are still served.
func checkSpool(directory string, found *mistakes) {
	if directory == "" {
		return
	}
	file, err := os.CreateTemp(directory, "outrigger-check-*")
	if err != nil {
		found.add(Prefix+"SPOOL_DIR", directory, "want a directory that files can be written in: "+reason(err).Error())
		return
	}
	_ = file.Close()
	if err := os.Remove(file.Name()); err != nil {
		found.add(Prefix+"SPOOL_DIR", directory, "want a directory that files can be removed from")
	}
}
