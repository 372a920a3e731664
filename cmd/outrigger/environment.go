package main

import "strings"

// environment holds the variables that are ours by their prefix.
type environment map[string]string

// environmentOf picks ours from environ. Of two with the same name the last counts.
func environmentOf(environ []string) environment {
	given := environment{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if ok && strings.HasPrefix(name, prefix) {
			given[name] = value
		}
	}
	return given
}

// sourceDefault is the Source of a variable that was not set.
const sourceDefault = "default"

// find sets the variable's text and where it came from: the environment, a file
// that holds a secret, or the default. Set but empty is not set. It reports
// false, and adds the mistake, if a file cannot be had.
func (v *variable) find(given environment, found *mistakes) bool {
	v.given, v.Text, v.Source = v.Name, given[v.Name], "environment"
	if path := given[v.Name+fileSuffix]; v.Secret && path != "" {
		v.given, v.Source = v.Name+fileSuffix, "file "+path
		if v.Text != "" {
			found.add(v.given, path, "only one of "+v.Name+" and this may be set")
			return false
		}
		text, err := readSecret(path)
		if err != nil {
			found.add(v.given, path, err.Error())
			return false
		}
		v.Text = text
	}
	if v.Text == "" {
		v.Text, v.Source = v.Default, sourceDefault
	}
	return true
}
