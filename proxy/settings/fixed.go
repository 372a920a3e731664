package settings

import "reflect"

// Fixed returns the names of the variables, without their prefix, that are set differently
// in two structs of settings of the same type, and cannot change while Outrigger runs: their
// fields are tagged restart:"true". They are in order of declaration.
func Fixed(running, next any) []string {
	return fixed(reflect.ValueOf(running), reflect.ValueOf(next))
}

func fixed(running, next reflect.Value) []string {
	var names []string
	for i := range running.NumField() {
		field := running.Type().Field(i)
		name, tagged := field.Tag.Lookup("env")
		switch {
		case !field.IsExported():
		case !tagged && field.Type.Kind() == reflect.Struct:
			names = append(names, fixed(running.Field(i), next.Field(i))...)
		case field.Tag.Get("restart") == "true" && !reflect.DeepEqual(running.Field(i).Interface(), next.Field(i).Interface()):
			names = append(names, name)
		}
	}
	return names
}
