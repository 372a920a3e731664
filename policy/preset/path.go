package preset

import "strings"

// version is what a request's path begins with where the app was told no other
// base than Outrigger's own.
const version = "/v1"

// join returns the path of a request at the upstream.
func (p *Preset) join(path string) string {
	rest, versioned := below(path, version)
	switch {
	case p.base == "" && versioned && strings.HasSuffix(p.given, version):
		return p.given + rest
	case p.base == "":
		return p.append(path)
	case p.owns(path):
		return path
	case versioned:
		return p.base + rest
	}
	return p.append(path)
}

// append puts path below what the URL says, as for a host that is not known.
func (p *Preset) append(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return p.given + path
}

// owns reports whether a path begins as the provider's base does: it was made for
// the provider, by its own SDK.
func (p *Preset) owns(path string) bool {
	first, _, _ := strings.Cut(p.base[1:], "/")
	_, ok := below(path, p.base[:1+len(first)])
	return ok
}

// below cuts base off a path, if that is the base or below it.
func below(path, base string) (string, bool) {
	rest, ok := strings.CutPrefix(path, base)
	if !ok || rest != "" && rest[0] != '/' {
		return path, false
	}
	return rest, true
}

// within reports whether a URL's path says a part of base, from its start, or all.
func within(base, given string) bool {
	_, ok := below(base, given)
	return ok
}
