// Package outward says through which proxy an upstream is reached. HTTPS_PROXY, HTTP_PROXY,
// ALL_PROXY and NO_PROXY, in upper or lower case, have their usual meaning. ALL_PROXY, which
// net/http does not read, applies if the variable for the scheme is not set: where a SOCKS
// proxy is the only way out, it is often the only variable set.
package outward

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Proxies are those that an environment names. Make it with Of. It is safe for
// concurrent use.
type Proxies struct {
	ways    map[string]way // by scheme
	except  exceptions
	notUsed []string
}

// way is a proxy and the variable that names it.
type way struct {
	via  *url.URL
	name string
}

// schemes are those of proxies that can be used. A SOCKS5 proxy is always given the host's
// name, so socks5 is no other than socks5h; socks is what GNOME writes.
var schemes = []string{"http", "https", "socks5", "socks5h", "socks"}

// Of reads environ, which is in the form of os.Environ.
func Of(environ []string) *Proxies {
	given := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			given[name] = strings.TrimSpace(value)
		}
	}
	p := &Proxies{ways: map[string]way{}, except: parseExceptions(cmp.Or(given["no_proxy"], given["NO_PROXY"]))}
	for scheme, names := range map[string][]string{
		"http":  {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"},
		"https": {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
	} {
		if given["REQUEST_METHOD"] != "" { // in CGI it may be a caller's header (golang.org/s/cgihttpproxy)
			names = slices.DeleteFunc(names, func(name string) bool { return name == "HTTP_PROXY" })
		}
		p.first(scheme, given, names)
	}
	slices.Sort(p.notUsed)
	return p
}

// first finds the proxy for a scheme: that of the first variable that names one.
func (p *Proxies) first(scheme string, given map[string]string, names []string) {
	for _, name := range names {
		if given[name] == "" {
			continue
		}
		via, problem := parse(given[name])
		if problem == "" {
			p.ways[scheme] = way{via, name}
			return
		}
		if told := name + " is not used: " + problem; !slices.Contains(p.notUsed, told) {
			p.notUsed = append(p.notUsed, told)
		}
	}
}

// parse returns the URL of a proxy, or why it cannot be used. It does not quote it: there
// may be a password in it.
func parse(text string) (*url.URL, string) {
	if !strings.Contains(text, "://") {
		text = "http://" + text // as everywhere
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Hostname() == "":
		return nil, "want a URL such as socks5h://127.0.0.1:1080"
	case !slices.Contains(schemes, u.Scheme):
		return nil, fmt.Sprintf("proxies of the kind %.20q are not supported; http, https and socks5 are", u.Scheme)
	case u.Scheme == "socks":
		u.Scheme = "socks5"
	}
	return u, ""
}

// For returns the proxy for a request to u and the variable that names it, nil for none. A
// nil p names none.
func (p *Proxies) For(u *url.URL) (*url.URL, string) {
	if p == nil || p.except.hold(u) {
		return nil, ""
	}
	w := p.ways[u.Scheme]
	return w.via, w.name
}

// NotUsed tells which variables name a proxy that cannot be used, one sentence each.
func (p *Proxies) NotUsed() []string { return p.notUsed }
