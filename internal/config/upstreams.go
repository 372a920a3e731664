package config

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"outrigger/proxy/settings"
)

// NamedURL is one entry of OUTRIGGER_UPSTREAMS, split and not yet checked.
type NamedURL struct{ name, url string }

// UnmarshalText splits name=url.
func (n *NamedURL) UnmarshalText(text []byte) error {
	name, address, ok := strings.Cut(string(text), "=")
	if !ok {
		return errors.New("no equals sign")
	}
	*n = NamedURL{strings.TrimSpace(name), strings.TrimSpace(address)}
	return nil
}

// upstreamPrefix starts the name of every variable of the upstream called name.
func upstreamPrefix(name string) string {
	return Prefix + "UPSTREAM_" + strings.ToUpper(name) + "_"
}

// upstreamName is what a name must match: it becomes part of variables' names, and
// they end it at the first underscore.
var upstreamName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// upstreamsOf checks the entries and returns an upstream for each right name, so
// that its variables are checked too, even if its URL, then nil, is wrong.
func upstreamsOf(entries []NamedURL, found *mistakes) []settings.Upstream {
	const variable = Prefix + "UPSTREAMS"
	var all []settings.Upstream
	seen := map[string]bool{}
	for _, entry := range entries {
		address, problem := parseUpstreamURL(entry.url)
		if problem != "" {
			found.add(variable, entry.name+"=…", problem)
		}
		switch {
		case !upstreamName.MatchString(entry.name):
			found.add(variable, entry.name, "want a name that matches [a-z][a-z0-9]* before the equals sign")
		case seen[entry.name]:
			found.add(variable, entry.name, "want each name once")
		default:
			seen[entry.name] = true
			all = append(all, settings.Upstream{Name: entry.name, URL: address})
		}
	}
	return all
}

// parseUpstreamURL returns the URL of an upstream, or what is wrong with it. The
// text is never quoted: what is wrong with it may be that it holds a password.
func parseUpstreamURL(text string) (*url.URL, string) {
	if problem := listSlip(text); problem != "" {
		return nil, problem
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, "want a URL such as https://api.openai.com"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "want a URL that begins with http:// or https://"
	case u.User != nil:
		return nil, "want a URL without user and password; a key goes into " + upstreamPrefix("NAME") + "API_KEY"
	case u.Hostname() == "":
		return nil, "want a URL with a host"
	case !isPort(u.Port(), true):
		return nil, "want a port from 1 to 65535"
	case u.RawQuery != "" || u.ForceQuery:
		return nil, "want a URL without query; parameters go into " + upstreamPrefix("NAME") + "QUERY"
	case strings.Contains(text, "#"):
		return nil, "want a URL without fragment"
	case hasPlaceholder(u):
		return nil, "want your own value where the URL still has a placeholder, such as NAME or REGION"
	}
	if problem := pathSlip(u.Path); problem != "" {
		return nil, problem
	}
	return u, ""
}

// isPort reports whether text is a port number over 0, or empty where that is allowed.
func isPort(text string, orEmpty bool) bool {
	if text == "" {
		return orEmpty
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// checkFailover notes upstreams that failover would reach without a credential:
// the caller's goes to the first one's host alone. Found out in an outage, that
// would be a second one. Servers on this machine ask for none as a rule.
func checkFailover(c *Settings, found *mistakes) {
	if len(c.Failover) == 0 || len(c.Upstreams) < 2 || found.have(Prefix+"UPSTREAMS") {
		return
	}
	first := c.Upstreams[0]
	for _, u := range c.Upstreams[1:] {
		of := upstreamPrefix(u.Name)
		switch {
		case u.LendsKey(), u.CallerKey != settings.CallerKeyAuto, settings.SameHost(first.URL, u.URL), settings.IsLoopback(u.URL):
		case found.have(of+"API_KEY", of+"HEADERS", of+"QUERY", of+"CALLER_KEY"):
		default:
			found.add(of+"API_KEY", "", "want a key: the caller's own is for the host of upstream "+first.Name+" and is not sent to this one. "+
				"Or set "+of+"CALLER_KEY: send if both hosts know the same keys, drop if this one asks for none; or "+
				Prefix+"FAILOVER=none if it is only called as /@"+u.Name+"/")
		}
	}
}
