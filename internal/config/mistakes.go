package config

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mistake is one thing that is wrong with the configuration.
type Mistake struct { //nolint:errname // a mistake of the configuration, named as its reader would
	// Variable is the name of the environment variable, as it was given.
	Variable string
	// Value is what it was set to; empty for secrets and where it does not help.
	Value string
	// Allowed says what would be right, or why this is wrong.
	Allowed string
}

// Error returns NAME="value": what is allowed.
func (m Mistake) Error() string {
	name := m.Variable
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		name = strconv.Quote(name)
	}
	if m.Value != "" {
		name += "=" + strconv.Quote(m.Value)
	}
	return name + ": " + m.Allowed
}

// mistakes collects all that is wrong, so that it is told at once.
type mistakes struct{ all []error }

// add notes a mistake. A value that may be a credential is not kept.
func (f *mistakes) add(name, value, allowed string) {
	f.all = append(f.all, Mistake{Variable: clip(name), Value: clip(Presentable(value)), Allowed: allowed})
}

// have reports whether a mistake about one of these variables, or its file, was
// noted: comparing their values would only bring follow-up mistakes.
func (f *mistakes) have(names ...string) bool {
	return slices.ContainsFunc(f.all, func(err error) bool {
		var m Mistake
		return errors.As(err, &m) && slices.Contains(names, strings.TrimSuffix(m.Variable, fileSuffix))
	})
}

// join returns all mistakes as one error, nil if there are none.
func (f *mistakes) join() error { return errors.Join(f.all...) }

// credential matches what has no business in a variable that is no secret, and
// still gets there: keys by their usual beginnings, user information of a URL, also
// where the host after it is missing, and what stands in its query.
var credential = regexp.MustCompile(`(?i)\b(bearer|basic)\b|\b(sk|sess|gsk|xai|hf|ghp)[-_]|AIza|\beyJ|[@?#]|//[^/]*:[0-9]*[^0-9/]`)

// Presentable returns value as it may be shown: all of it, or "[redacted]" if a part of it
// looks like a credential.
func Presentable(value string) string {
	if credential.MatchString(value) {
		return "[redacted]"
	}
	return value
}

// clip shortens what nobody would read to its end.
func clip(text string) string {
	const longest = 100
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
