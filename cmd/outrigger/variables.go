package main

import (
	"reflect"
	"strings"

	"outrigger/proxy"
)

// variable is one environment variable: what the tags of its field say about it
// and, once resolved, what it is set to. This one table feeds loading, check,
// /config, the search for the nearest name, and the tests that hold
// config.example.env and the README to it.
type variable struct {
	Name    string
	Default string // in the variable's own language; empty is none
	Doc     string // one line
	Secret  bool   // never printed
	Off     bool   // off and none are allowed
	OneOf   []string
	Min     string
	Max     string

	Text   string // what it is set to, in the variable's own language
	Source string // default, environment, or file and its path

	given  string        // the name that Text came under: Name, or its _FILE variable
	field  reflect.Value // what Text sets
	root   any           // pointer to the struct that the walk began at
	prefix string        // of all names under root
}

// variablesOf walks the struct that root points to, and the structs in it, and
// returns a variable for each field with an env tag, in order of declaration.
func variablesOf(root any, prefix string) []variable {
	var all []variable
	var walk func(reflect.Value)
	walk = func(s reflect.Value) {
		for i := range s.NumField() {
			field, tags := s.Type().Field(i), s.Type().Field(i).Tag
			name, tagged := tags.Lookup("env")
			switch {
			case !field.IsExported():
			case tagged:
				all = append(all, variable{
					Name:    prefix + name,
					Default: tags.Get("envDefault"),
					Doc:     tags.Get("doc"),
					Secret:  tags.Get("secret") == "true",
					Off:     tags.Get("off") == "true" || isOptional(field.Type),
					OneOf:   words(tags.Get("oneof")),
					Min:     tags.Get("min"),
					Max:     tags.Get("max"),
					field:   s.Field(i),
					root:    root,
					prefix:  prefix,
				})
			case field.Type.Kind() == reflect.Struct:
				walk(s.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(root).Elem())
	return all
}

// isOptional reports whether t is a list that may be empty: all but the upstreams.
func isOptional(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t != reflect.TypeFor[[]namedURL]()
}

// words splits a comma-separated list; an empty text has none.
func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// hidden reports whether no part of the text may be shown. Query parameters are
// among them: some providers take their key as one.
func (v *variable) hidden() bool {
	_, pairs := v.field.Interface().([]proxy.Pair)
	return v.Secret || pairs
}

// shown returns the text for a mistake.
func (v *variable) shown() string {
	if v.hidden() {
		return ""
	}
	return v.Text
}

// String returns the text as check prints it: secrets redacted, of pairs the names,
// and nothing that looks like a key, even where it passes for a host or a header.
func (v *variable) String() string {
	pairs, _ := v.field.Interface().([]proxy.Pair)
	switch {
	case len(pairs) > 0:
		all := make([]string, len(pairs))
		for i, p := range pairs {
			all[i] = p.String()
		}
		return strings.Join(all, ",")
	case v.hidden() && !v.field.IsZero():
		return "[redacted]"
	}
	return presentable(v.Text)
}
