package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

// resolve sets the fields of the struct that root points to from their variables, whose
// names start with prefix, and returns the variables in order of declaration. It notes a
// mistake, in the same order, for each variable whose text cannot be used.
func resolve(root any, prefix string, given environment, found *mistakes) []variable {
	all, texts := variablesOf(root, prefix), map[string]string{}
	for i := range all {
		all[i].find(given)
		if text, ok := all[i].canonical(); ok {
			texts[all[i].Name] = text
		}
	}
	refused, err := parse(root, prefix, texts)
	if err != nil {
		found.add(prefix, "", err.Error())
	}
	for i := range all {
		v := &all[i]
		if _, parsed := texts[v.Name]; parsed && (refused[v.id] || !v.inRange()) {
			v.refuse(v.allowed())
		}
		if v.problem != "" {
			found.add(v.given, v.quoted, v.problem)
		}
	}
	return all
}

// fieldID is how env's errors tell which field they are about.
type fieldID struct {
	name string
	kind reflect.Type
}

// parse sets the fields of the struct that root points to from texts, by the names of their
// variables, and returns the fields whose text is none of their values. Fields without a
// text stay as they are.
//
// env's errors quote the text, which may be a secret, and name the field instead of the
// variable. So only the field is taken from them. Any other error is about the tags and
// not about a text; it is told without what env says.
func parse(root any, prefix string, texts map[string]string) (map[fieldID]bool, error) {
	err := env.ParseWithOptions(root, env.Options{
		Environment:         texts,
		Prefix:              prefix,
		DefaultValueTagName: noDefault,
		FuncMap:             parsers,
	})
	if err == nil {
		return nil, nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return nil, fmt.Errorf("%T cannot be read: %T", root, err)
	}
	refused := map[fieldID]bool{}
	for _, err := range all.Errors {
		var wrong env.ParseError
		if !errors.As(err, &wrong) {
			return nil, fmt.Errorf("the tags of %T cannot be read: %T", root, err)
		}
		refused[fieldID{wrong.Name, wrong.Type}] = true
	}
	return refused, nil
}

// noDefault is a tag that no field has. Defaults are in the texts already: env would use
// its own for off as well, whose text is empty.
const noDefault = "-"

// parsers replaces two parsers of env's: its int has 32 bits only, and its bool
// does not know on and off.
var parsers = map[reflect.Type]env.ParserFunc{
	reflect.TypeFor[int](): func(text string) (any, error) { return strconv.Atoi(text) },
	reflect.TypeFor[bool](): func(text string) (any, error) {
		switch strings.ToLower(text) {
		case "true", "on", "yes", "1":
			return true, nil
		case "false", "off", "no", "none", "0":
			return false, nil
		}
		return false, strconv.ErrSyntax
	},
}

// canonical returns the text as its parser wants it, and whether there is one to parse: an
// allowed word as the tag spells it, a list without white space around its entries. It
// refuses common slips, any other word, and a list with an empty entry, which is a slip at
// best and an empty password at worst.
func (v *variable) canonical() (string, bool) {
	if v.problem != "" {
		return "", false
	}
	if problem := slip(v.Text); problem != "" {
		v.refuse(problem)
		return "", false
	}
	if v.isZero() {
		return "", false
	}
	entries := []string{v.Text}
	if v.field.Kind() == reflect.Slice {
		entries = strings.Split(v.Text, ",")
		for i, entry := range entries {
			entries[i] = strings.TrimSpace(entry)
		}
	}
	for i, entry := range entries {
		word, ok := v.word(entry)
		if !ok || word == "" {
			v.refuse(v.allowed())
			return "", false
		}
		entries[i] = word
	}
	return strings.Join(entries, ","), true
}

// isZero reports whether the text stands for the zero value.
func (v *variable) isZero() bool {
	return v.Text == "" || v.Off && (v.Text == "off" || v.Text == "none")
}

// word returns text as the tag spells it, and whether it is allowed; without
// allowed words any text is.
func (v *variable) word(text string) (string, bool) {
	if len(v.OneOf) == 0 {
		return text, true
	}
	i := slices.IndexFunc(v.OneOf, func(word string) bool { return strings.EqualFold(word, text) })
	if i < 0 {
		return "", false
	}
	return v.OneOf[i], true
}
