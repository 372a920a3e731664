package config

import (
	"reflect"
	"strings"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// Variable is one environment variable as it was resolved, in the form that check prints
// and /config serves.
type Variable struct {
	// Name is its full name.
	Name string `json:"variable"`
	// Value is what it is set to, in the variable's own language and fit to be shown:
	// secrets are redacted, of pairs the names are left. Empty is none.
	Value string `json:"value"`
	// Source is default, environment, OUTRIGGER_ENV_FILE and its path, or file and its path.
	Source string `json:"source"`
	// Meaning is one line for people.
	Meaning string `json:"meaning"`
	// Secret tells that no part of the value is ever shown.
	Secret bool `json:"-"`

	text values.Secret // what it is set to
}

// Same reports whether v and w are set to the same text, secrets included.
func (v Variable) Same(w Variable) bool { return v.text == w.text }

// variable is a Variable while it is resolved: what the tags of its field say about it
// and, later, what it is set to.
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

	given   string        // the name that Text came under: Name, or its _FILE variable
	field   reflect.Value // what Text sets
	id      fieldID       // of field
	problem string        // what is wrong with it, "" for nothing
	quoted  string        // what the mistake shows as its value
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
					id:      fieldID{field.Name, field.Type},
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
	return t.Kind() == reflect.Slice && t != reflect.TypeFor[[]NamedURL]()
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
	_, pairs := v.field.Interface().([]settings.Pair)
	return v.Secret || pairs
}

// refuse notes what is wrong with the text, and shows it where that may be.
func (v *variable) refuse(problem string) {
	v.problem = problem
	if !v.hidden() {
		v.quoted = v.Text
	}
}

// resolved returns v without what only loading needs.
func (v *variable) resolved() Variable {
	return Variable{Name: v.Name, Value: v.String(), Source: v.Source, Meaning: v.Doc, Secret: v.Secret, text: values.NewSecret(v.Text)}
}

// String returns the text as check prints it: secrets redacted, of pairs the names,
// and nothing that looks like a key, even where it passes for a host or a header.
func (v *variable) String() string {
	pairs, _ := v.field.Interface().([]settings.Pair)
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
	return Presentable(v.Text)
}
