package config

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/settings"
)

// inRange reports whether the field lies within the bounds of its tags. What is
// no number always does; NaN and the infinities never do.
func (v *variable) inRange() bool {
	n, ok := number(v.field)
	if !ok || v.Off && n == 0 {
		return true
	}
	least, most := 0.0, math.MaxFloat64
	if v.Min != "" {
		least = v.bound(v.Min)
	}
	if v.Max != "" {
		most = v.bound(v.Max)
	}
	return n >= least && n <= most
}

// number returns the field's value if it is a number. Whole numbers over 2^53
// lose their last digits, which no bound depends on.
func number(field reflect.Value) (float64, bool) {
	switch {
	case field.Type() == reflect.TypeFor[time.Duration](), field.Type() == reflect.TypeFor[values.Bytes]():
		return float64(field.Int()), true
	case reflect.PointerTo(field.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return 0, false // an enumeration
	case field.CanInt():
		return float64(field.Int()), true
	case field.CanFloat():
		return field.Float(), true
	}
	return 0, false
}

// bound reads the text of a min or max tag, in the language of the field. A tag
// that is wrong gives NaN, which nothing is within: no default survives that.
func (v *variable) bound(text string) float64 {
	switch v.field.Interface().(type) {
	case time.Duration:
		if d, err := time.ParseDuration(text); err == nil {
			return float64(d)
		}
	case values.Bytes:
		var b values.Bytes
		if b.UnmarshalText([]byte(text)) == nil {
			return float64(b)
		}
	default:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return math.NaN()
}

// allowed says in words what the tags and the type allow.
func (v *variable) allowed() string {
	text := "want " + v.form()
	least, most := v.readable(v.Min), v.readable(v.Max)
	switch {
	case least != "" && most != "":
		text += ", from " + least + " to " + most
	case most != "":
		text += ", at most " + most
	case least != "":
		text += ", at least " + least
	}
	if v.Off {
		text += ", or off"
	}
	return text
}

// readable returns the text of a bound in the shortest form: sizes with their unit.
func (v *variable) readable(text string) string {
	var b values.Bytes
	if v.field.Type() == reflect.TypeFor[values.Bytes]() && b.UnmarshalText([]byte(text)) == nil {
		return b.String()
	}
	return text
}

// form names the language that the variable is written in.
func (v *variable) form() string {
	if len(v.OneOf) > 0 && v.field.Kind() == reflect.Slice {
		return "some of " + strings.Join(v.OneOf, ", ") + ", separated by commas"
	}
	if len(v.OneOf) > 0 {
		return "one of " + strings.Join(v.OneOf, ", ")
	}
	switch v.field.Interface().(type) {
	case time.Duration:
		return "a duration such as 500ms, 30s or 10m"
	case values.Bytes:
		return "a size such as 4096, 64KiB or 1GB"
	case store.Spec:
		return "memory, file:/path/file.db, redis://host:port or rediss://host:port"
	case []NamedURL:
		return "name=url, or several separated by commas"
	case []settings.Model:
		return "requested=sent, or several separated by commas"
	case []settings.TokenPriority:
		return "name=priority with high, normal or low, or several separated by commas"
	case []settings.Pair:
		return "name=value, or several separated by commas"
	case bool:
		return "true or false"
	case string:
		return "a text"
	}
	switch {
	case v.field.CanInt():
		return "a whole number"
	case v.field.CanFloat():
		return "a number"
	}
	return "a list separated by commas, without empty entries"
}
