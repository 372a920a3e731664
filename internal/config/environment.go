package config

import "strings"

// environment holds the variables that are ours by their prefix.
type environment map[string]string

// environmentOf picks ours from environ. Of two with the same name the last counts.
func environmentOf(environ []string) environment {
	given := environment{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if ok && strings.HasPrefix(name, Prefix) {
			given[name] = value
		}
	}
	return given
}

// The Source of a variable: not set, set by the environment, or, with its path, by the file
// of a secret.
const (
	sourceDefault     = "default"
	sourceEnvironment = "environment"
	sourceFile        = "file "
)

// find sets the variable's text and where it came from: the environment, a file
// that holds a secret, or the default. Set but empty is not set. A file that cannot be
// read is a problem of the variable.
func (v *variable) find(given environment) {
	v.given, v.Text, v.Source = v.Name, given[v.Name], sourceEnvironment
	if path := given[v.Name+fileSuffix]; v.Secret && path != "" {
		v.given, v.Source = v.Name+fileSuffix, sourceFile+path
		if v.Text != "" {
			v.problem, v.quoted = "only one of "+v.Name+" and this may be set", path
			return
		}
		text, err := readSecret(path)
		if err != nil {
			v.problem, v.quoted = err.Error(), path
			return
		}
		v.Text = text
	}
	if v.Text == "" {
		v.Text, v.Source = v.Default, sourceDefault
	}
}
