package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"outrigger/internal/spelling"
	"outrigger/proxy/settings"
)

// serviceLink matches the variables that Kubernetes puts into every container for
// each service of the namespace: one called outrigger, or outrigger-anything,
// gets names that begin like ours.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var serviceLink = regexp.MustCompile(`^OUTRIGGER_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// ofUpstream matches the variables of an upstream and picks out its name.
var ofUpstream = regexp.MustCompile(`^OUTRIGGER_UPSTREAM_([A-Z][A-Z0-9]*)_[A-Z0-9_]+$`)

// findUnknown notes every given name that nothing reads, and returns the service
// links among them, which are no mistakes. Values are not shown: the name may be
// a slip in that of a secret.
func findUnknown(given environment, variables []variable, upstreams []settings.Upstream, found *mistakes) []string {
	known := map[string]bool{}
	for i := range variables {
		v := &variables[i]
		known[v.Name] = true
		if v.Secret {
			known[v.Name+fileSuffix] = true
		}
	}
	names := slices.Sorted(maps.Keys(known))
	var links []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		name = clip(name) // no known one is as long, and what follows takes time
		foreign := foreignUpstream(name, upstreams)
		switch {
		case known[name]:
		case serviceLink.MatchString(name):
			links = append(links, name)
		case foreign != "" && found.have(Prefix+"UPSTREAMS"): // it may well be one of those
		case foreign == "name": // as all documents have it
			found.add(name, "", "put an upstream's name in place of NAME: "+Prefix+"UPSTREAMS names "+namesOf(upstreams))
		case foreign != "":
			found.add(name, "", "no upstream "+foreign+" in "+Prefix+"UPSTREAMS, which names "+namesOf(upstreams))
		default:
			found.add(name, "", "no such variable; "+nearest(name, names))
		}
	}
	return links
}

// namesOf lists the names of upstreams for a reader.
func namesOf(upstreams []settings.Upstream) string {
	names := make([]string, len(upstreams))
	for i, u := range upstreams {
		names[i] = u.Name
	}
	return strings.Join(names, ", ")
}

// foreignUpstream returns the name of the upstream that the variable called name
// would belong to, "" if it is one of those given, or if the variable belongs to none.
func foreignUpstream(name string, given []settings.Upstream) string {
	match := ofUpstream.FindStringSubmatch(name)
	if match == nil {
		return ""
	}
	upstream := strings.ToLower(match[1])
	if slices.ContainsFunc(given, func(u settings.Upstream) bool { return u.Name == upstream }) {
		return ""
	}
	return upstream
}

// nearest tells the known name that was meant, or where all are listed if none is near.
func nearest(name string, known []string) string {
	near := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !isNear(name, k) })
	if len(near) == 0 {
		return "config.example.env lists all"
	}
	return "the nearest is " + slices.MinFunc(near, func(a, b string) int { return spelling.Distance(name, a) - spelling.Distance(name, b) })
}

// isNear reports whether name may be a slip for known: up to a third of its letters
// are wrong, or one has all words of the other.
func isNear(name, known string) bool {
	name, known = strings.TrimPrefix(name, Prefix), strings.TrimPrefix(known, Prefix)
	if name == "" {
		return false
	}
	given, right := strings.Split(name, "_"), strings.Split(known, "_")
	return 3*spelling.Distance(name, known) <= len(name) || hasAll(given, right) || hasAll(right, given)
}

func hasAll(words, of []string) bool {
	return !slices.ContainsFunc(of, func(word string) bool { return !slices.Contains(words, word) })
}
