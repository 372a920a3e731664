package preset

import "strings"

// Preset is how one upstream wants to be called. The zero value is an upstream
// that nothing is known of and whose URL has no path. It does not change once
// made, and is safe for concurrent use.
type Preset struct {
	// Name is the provider's, in lower case; empty for an unknown one.
	Name string

	given string // the path of the user's URL, without a slash at its end
	base  string // where the provider's API begins; empty when given stands for itself
	call  func(p *Preset, path, model string) Call

	deployment string // Azure: the one that the URL names, escaped
	version    Pair   // Azure: the api-version that is added
}

// Pair is a header or a query parameter.
type Pair struct{ Name, Value string }

// Call is how one request goes to the provider.
type Call struct {
	// Path is escaped and begins with a slash.
	Path string
	// AuthHeader is the canonical name of the header for the key; empty is
	// Authorization, with the Bearer scheme.
	AuthHeader string
	// Header and Query are added to a request that has none of that name; a
	// zero Pair adds nothing.
	Header, Query Pair
}

// Upstream is what a preset is chosen by.
type Upstream struct {
	// Host is the URL's, without a port, in any case.
	Host string
	// Path is the URL's, escaped.
	Path string
	// APIVersion is the value of api-version among the query parameters that the
	// user set; empty when there is none.
	APIVersion string
}

// Of returns the preset for an upstream.
func Of(u Upstream) Preset {
	p := Preset{given: strings.TrimSuffix(u.Path, "/"), call: plain}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ".")
	if isAzure(host) {
		p.azure(u.APIVersion)
		return p
	}
	r := providerOf(host)
	if r == nil {
		return p
	}
	p.Name = r.name
	if r.call != nil {
		p.call = r.call
	}
	for _, tail := range r.tails {
		if strings.HasSuffix(p.given, tail) {
			p.call = unversioned
			return p
		}
	}
	for _, base := range r.bases {
		if within(base, p.given) {
			p.base = base
			break
		}
	}
	return p
}

// Call returns how a request goes out: path is the one that the caller sent,
// escaped, and model the one that the upstream is to use, empty if there is none.
func (p *Preset) Call(path, model string) Call {
	if p.call == nil {
		return plain(p, path, model)
	}
	return p.call(p, path, model)
}

// unversioned is a call to a URL whose paths have no version: that of the request gives way.
func unversioned(p *Preset, path, _ string) Call {
	if _, whole := below(path, p.given); whole {
		return Call{Path: path}
	}
	if rest, versioned := below(path, version); versioned {
		path = rest
	}
	return Call{Path: p.append(path)}
}

// plain is a call with nothing but the path.
func plain(p *Preset, path, _ string) Call { return Call{Path: p.join(path)} }
