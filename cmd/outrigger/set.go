package main

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

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

// noDefault is a tag that no field has. The default is resolved before env sees
// anything, because env takes it for set-but-empty texts as well.
const noDefault = "-"

// set parses the text into the field and reports whether it is allowed.
//
// One variable at a time: env's errors name the field, not the variable, and
// quote its text, which may be a secret. So the error is dropped, and what is
// allowed is told from the tags.
func (v *variable) set() bool {
	if v.Text == "" || v.Off && (v.Text == "off" || v.Text == "none") {
		v.field.SetZero()
		return true
	}
	text, ok := v.canonical()
	if !ok {
		return false
	}
	return env.ParseWithOptions(v.root, env.Options{
		Environment:         map[string]string{v.Name: text},
		Prefix:              v.prefix,
		DefaultValueTagName: noDefault,
		FuncMap:             parsers,
	}) == nil && v.inRange()
}

// canonical returns the text as its parser wants it: an allowed word as the tag
// spells it, a list without white space around its entries. It reports false for
// any other word, and for a list with an empty entry, which is a slip at best
// and an empty password at worst.
func (v *variable) canonical() (string, bool) {
	if v.field.Kind() != reflect.Slice {
		return v.word(v.Text)
	}
	entries, known := strings.Split(v.Text, ","), true
	for i, entry := range entries {
		word, ok := v.word(strings.TrimSpace(entry))
		entries[i], known = word, known && ok
	}
	return strings.Join(entries, ","), known && !slices.Contains(entries, "")
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
