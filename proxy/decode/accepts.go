package decode

import (
	"slices"
	"strings"
)

// Accepts returns the Accept-Encoding to send upstream for a caller that sent header:
// its own list without what Body cannot decode, as written and in its order. A "*"
// becomes the codings that the list does not name. An empty header stays empty; a
// list of which nothing is left becomes "identity", since none at all would mean any
// (RFC 9110, section 12.5.3). Repeated fields are one list: join them with commas.
func Accepts(header string) string {
	if strings.Trim(header, " \t") == "" {
		return ""
	}
	elements := strings.Split(header, ",")
	names := make([]string, len(elements))
	changed := false
	for i, element := range elements {
		name, _, _ := strings.Cut(element, ";")
		names[i] = strings.ToLower(strings.Trim(name, " \t"))
		changed = changed || names[i] != "" && !supported(names[i])
	}
	if !changed {
		return header
	}
	var kept []string
	for i, element := range elements {
		switch {
		case supported(names[i]):
			kept = append(kept, strings.Trim(element, " \t"))
		case names[i] == "*":
			_, weight, _ := strings.Cut(element, "*")
			kept = append(kept, others(names, strings.TrimRight(weight, " \t"))...)
		}
	}
	if len(kept) == 0 {
		return "identity"
	}
	return strings.Join(kept, ", ")
}

// others returns the codings that are not among names, each with a weight.
func others(names []string, weight string) []string {
	var rest []string
	for _, coding := range codings {
		if !slices.Contains(names, coding) && (coding != "gzip" || !slices.Contains(names, "x-gzip")) {
			rest = append(rest, coding+weight)
		}
	}
	return rest
}
