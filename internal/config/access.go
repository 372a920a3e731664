package config

import (
	"cmp"
	"net/url"
	"strings"

	"outrigger/proxy/settings"
)

// checkAccess notes tokens, origins and hosts that no caller could match.
func checkAccess(c *Settings, found *mistakes) {
	for _, t := range c.Callers.Tokens {
		_, token := settings.SplitToken(t)
		if problem := cmp.Or(keySlip(token.Reveal()), keySlip(t.Reveal())); problem != "" {
			found.add(Prefix+"CLIENT_TOKENS", "", "want tokens "+problem)
			break
		}
	}
	checkTokenPriorities(c, found)
	for _, origin := range c.Callers.Origins {
		if problem := listSlip(origin); problem != "" {
			found.add(Prefix+"ALLOWED_ORIGINS", origin, problem)
		} else if !isOrigin(origin) {
			found.add(Prefix+"ALLOWED_ORIGINS", origin,
				"want origins as browsers send them, such as https://app.example.com or http://localhost:3000: lower case, no path, no default port")
		}
	}
	for _, host := range c.Callers.Hosts {
		if problem := listSlip(host); problem != "" {
			found.add(Prefix+"ALLOWED_HOSTS", host, problem)
		} else if !isHost(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")) {
			found.add(Prefix+"ALLOWED_HOSTS", host, "want host names or addresses, without scheme and port")
		}
	}
}

// checkTokenPriorities notes priorities of tokens that there are not, and two of one.
func checkTokenPriorities(c *Settings, found *mistakes) {
	if found.have(Prefix + "CLIENT_TOKENS") {
		return
	}
	given := map[string]bool{} // whether it has a priority
	for _, t := range c.Callers.Tokens {
		name, _ := settings.SplitToken(t)
		given[name] = false
	}
	for _, p := range c.Callers.TokenPriorities {
		switch twice, there := given[p.Name]; {
		case !there:
			found.add(Prefix+"TOKEN_PRIORITIES", p.Name, "want the names of tokens in "+Prefix+"CLIENT_TOKENS, where one is name:token")
		case twice:
			found.add(Prefix+"TOKEN_PRIORITIES", p.Name, "want each name once")
		}
		given[p.Name] = true
	}
}

// checkExposure refuses to lend the upstream's key to whoever can reach the listener.
func checkExposure(c *Settings, found *mistakes) {
	if found.have(Prefix+"LISTEN", Prefix+"CLIENT_TOKENS") || IsLoopback(c.Listen) || len(c.Callers.Tokens) > 0 {
		return
	}
	for _, u := range c.Upstreams {
		if u.LendsKey() {
			found.add(Prefix+"CLIENT_TOKENS", "", "want at least one: "+Prefix+"LISTEN, which is "+c.Listen+
				", is not a loopback address, and everybody who reaches it would use the key of upstream "+u.Name)
		}
	}
}

// isToken reports whether text is not empty and all visible ASCII (RFC 9110,
// section 5.5, without spaces): anything else could not be sent in a header, or
// not the same way by every client.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isOrigin reports whether text is the serialization of an origin (RFC 6454,
// section 6.2): what a browser sends, byte for byte.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || !isHost(u.Hostname()) || !isPort(u.Port(), true) {
		return false
	}
	isDefault := u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
	return text == u.Scheme+"://"+u.Host && text == strings.ToLower(text) && !isDefault && !strings.HasSuffix(text, ":")
}
