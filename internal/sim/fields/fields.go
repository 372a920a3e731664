// Package fields reads small structs from JSON and from "name=value,name=value"
// text by the same names, strictly: an unknown name is an error that lists the
// known ones. The simulator's limits, fault rules and outages are such structs;
// they come from flags (text or JSON) and from the control endpoint (JSON).
//
// encoding/json alone would not do: durations have to be written "5s", and the
// text form and the help text need the same table of names.
package fields

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrField is wrapped by every error of this package.
var ErrField = errors.New("bad field")

// Field describes one field for a help text.
type Field struct {
	// Name as written in JSON and in text.
	Name string
	// Doc is the field's doc tag.
	Doc string
}

// List returns the fields of the struct v that have a json tag, in order.
func List(v any) []Field {
	t := reflect.TypeOf(v)
	out := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			out = append(out, Field{Name: name, Doc: f.Tag.Get("doc")})
		}
	}
	return out
}

// Parse fills the struct that into points to from text: JSON when it starts with
// a brace, else name=value pairs separated by commas. Fields that are not named
// keep their value.
func Parse(into any, text string) error {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		return FromJSON(into, []byte(text))
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found {
			return fmt.Errorf("%w: %q is not name=value", ErrField, pair)
		}
		target, err := lookup(into, name)
		if err != nil {
			return err
		}
		if err := setText(target, value); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrField, name, err)
		}
	}
	return nil
}

// FromJSON fills the struct that into points to from a JSON object.
func FromJSON(into any, data []byte) error {
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &raw); err != nil {
		return fmt.Errorf("%w: not a JSON object: %w", ErrField, err)
	}
	for name, value := range raw {
		target, err := lookup(into, name)
		if err != nil {
			return err
		}
		if err := setJSON(target, value); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrField, name, err)
		}
	}
	return nil
}

// ToJSON writes the fields of the struct v that are not zero; durations as text.
func ToJSON(v any) ([]byte, error) {
	value := reflect.ValueOf(v)
	out := map[string]any{}
	for i := range value.NumField() {
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		field := value.Field(i)
		if name == "" || name == "-" || field.IsZero() {
			continue
		}
		if d, ok := field.Interface().(time.Duration); ok {
			out[name] = d.String()
		} else {
			out[name] = field.Interface()
		}
	}
	return json.Marshal(out)
}

// lookup finds the field with that name, or says which names there are.
func lookup(into any, name string) (reflect.Value, error) {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == name && name != "" && name != "-" {
			return v.Field(i), nil
		}
	}
	known := make([]string, 0, v.NumField())
	for _, f := range List(v.Interface()) {
		known = append(known, f.Name)
	}
	slices.Sort(known)
	return reflect.Value{}, fmt.Errorf("%w: %q is unknown; known are %s", ErrField, name, strings.Join(known, ", "))
}

// setText parses value by the kind of the field.
func setText(target reflect.Value, value string) error {
	if u, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(value))
	}
	if _, ok := target.Interface().(time.Duration); ok {
		d, err := time.ParseDuration(value)
		if err == nil && d < 0 {
			err = errors.New("negative duration")
		}
		target.SetInt(int64(d))
		return err
	}
	switch target.Kind() {
	case reflect.String:
		target.SetString(value)
		return nil
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 10, 64)
		target.SetInt(n)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		target.SetFloat(f)
		return err
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		target.SetBool(b)
		return err
	default:
		return errors.New("can be given in JSON only")
	}
}

// setJSON accepts what encoding/json accepts, and for texts and durations a JSON string.
func setJSON(target reflect.Value, value json.RawMessage) error {
	if _, ok := target.Interface().(time.Duration); ok {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return errors.New(`want a duration such as "1.5s"`)
		}
		return setText(target, text)
	}
	return json.Unmarshal(value, target.Addr().Interface())
}
