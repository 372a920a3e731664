package carrier

import (
	"net/url"
	"strings"
)

// parameters are the query parameters whose kind the words in their names do not tell:
// a function key of Azure, and what APIs ask by.
var parameters = map[string]Kind{
	"code":        Proof, // Azure Functions' access key
	"api-version": Asks, "after": Asks, "before": Asks, "limit": Asks, "order": Asks, "include": Asks, "purpose": Asks, "model": Asks,
	"stream": Asks, "starting_after": Asks, "beta": Asks, "alt": Asks, "filter": Asks, "page": Asks, "offset": Asks,
	"page_token": Asks, "pagetoken": Asks, "page_size": Asks, "pagesize": Asks, "after_id": Asks, "before_id": Asks,
}

// Parameter returns the kind of a query parameter, by its decoded name in whatever case.
func Parameter(name string) Kind {
	plain := strings.TrimSuffix(strings.ToLower(name), "[]")
	if kind, known := parameters[plain]; known {
		return kind
	}
	if names(name) || names(plain) {
		return Proof
	}
	return Unknown
}

// Pair is one parameter of a query: as it stands there, and decoded.
type Pair struct{ Text, Name, Value string }

// Pairs calls f with each parameter of a query, until that returns false. Some servers
// take a semicolon for an ampersand, so both end one. What is badly escaped stays as it is.
func Pairs(query string, f func(Pair) bool) {
	for query != "" {
		text, rest := query, ""
		if end := strings.IndexAny(query, "&;"); end >= 0 {
			text, rest = query[:end], query[end+1:]
		}
		query = rest
		name, value, _ := strings.Cut(text, "=")
		if text != "" && !f(Pair{text, unescape(name), unescape(value)}) {
			return
		}
	}
}

// WithoutParameters returns a query without those parameters that drop says yes to, and
// all else as it was.
func WithoutParameters(query string, drop func(Pair) bool) string {
	var kept []string
	dropped := false
	for rest := query; rest != ""; {
		text := rest
		end := strings.IndexAny(rest, "&;")
		if end >= 0 {
			text, rest = rest[:end+1], rest[end+1:]
		} else {
			rest = ""
		}
		name, value, _ := strings.Cut(strings.TrimRight(text, "&;"), "=")
		if drop(Pair{text, unescape(name), unescape(value)}) {
			dropped = true
			continue
		}
		kept = append(kept, text)
	}
	if !dropped {
		return query
	}
	return strings.TrimRight(strings.Join(kept, ""), "&;")
}

func unescape(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
