package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"outrigger/proxy"
	"outrigger/proxy/store"
)

// everyVariable is the table of variables, with NAME for the name of an upstream.
func everyVariable() []variable {
	return append(variablesOf(&Config{}, prefix), variablesOf(&proxy.Upstream{}, upstreamPrefix("name"))...)
}

// documented is a variable as a document shows it.
type documented struct{ Name, Default string }

// table is everyVariable as documents must show it, in order of names.
func table() []documented {
	var all []documented
	for _, v := range everyVariable() {
		all = append(all, documented{v.Name, v.Default})
	}
	return sorted(all)
}

func sorted(all []documented) []documented {
	slices.SortFunc(all, func(a, b documented) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func TestEveryVariableIsWellTagged(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range everyVariable() {
		switch {
		case seen[v.Name]:
			t.Errorf("%s is there twice", v.Name)
		case !regexp.MustCompile(`^OUTRIGGER(_[A-Z][A-Z0-9]*)+$`).MatchString(v.Name):
			t.Errorf("%s is no name", v.Name)
		case v.Doc == "" || strings.ContainsAny(v.Doc, "\n|"):
			t.Errorf("%s: doc %q, want one line that fits into a table", v.Name, v.Doc)
		case v.Min != "" && v.bound(v.Min) != v.bound(v.Min), v.Max != "" && v.bound(v.Max) != v.bound(v.Max):
			t.Errorf("%s: min %q or max %q is no value of it", v.Name, v.Min, v.Max)
		case serviceLink.MatchString(v.Name):
			t.Errorf("%s looks like a service link of Kubernetes", v.Name)
		}
		seen[v.Name] = true
	}
}

// Each variable must reach a field of its own: env's walk over the structs and
// this package's are two, and must agree.
func TestEveryVariableSetsItsField(t *testing.T) {
	samples := map[reflect.Type]string{
		reflect.TypeFor[bool]():         "false",
		reflect.TypeFor[string]():       "x",
		reflect.TypeFor[float64]():      "0.25",
		reflect.TypeFor[int]():          "3",
		reflect.TypeFor[[]namedURL]():   "x=http://x",
		reflect.TypeFor[[]proxy.Pair](): "x=y",

		reflect.TypeFor[[]proxy.Model](): "x=y",
		reflect.TypeFor[store.Spec]():    "file:/x.db",
	}
	for _, v := range everyVariable() {
		v.Text = samples[v.field.Type()]
		switch {
		case len(v.OneOf) > 0:
			v.Text = v.OneOf[len(v.OneOf)-1]
		case v.Text == "" && v.Max != "":
			v.Text = v.Max
		case v.Text == "" && v.Off && v.field.Kind() == reflect.Int64:
			v.Text = "3s"
		case v.Text == "":
			v.Text = "x"
		}
		if v.field.Kind() == reflect.Bool {
			v.field.SetBool(true)
		}
		before := v.field.Interface()
		if !v.set() || reflect.DeepEqual(before, v.field.Interface()) {
			t.Errorf("%s=%s leaves its field, of type %s, at %v", v.Name, v.Text, v.field.Type(), before)
		}
	}
}

var setting = regexp.MustCompile(`^#(OUTRIGGER_[A-Z0-9_]+)=(.*)$`)

func TestExampleFileListsEveryVariable(t *testing.T) {
	lines := readLines(t, "../../config.example.env")
	var got []documented
	for i, line := range lines {
		match := setting.FindStringSubmatch(line)
		switch {
		case match != nil:
			got = append(got, documented{match[1], match[2]})
			if i < 3 || lines[i-3] != "" || !isComment(lines[i-2]) || !isComment(lines[i-1]) {
				t.Errorf("line %d: want an empty line and two lines of comment before %s", i+1, match[1])
			}
		case line != "" && line != "#" && !isComment(line):
			t.Errorf("line %d is neither comment nor setting: %s", i+1, line)
		}
	}
	if got, want := sorted(got), table(); !reflect.DeepEqual(got, want) {
		t.Errorf("config.example.env has\n%v\nwant\n%v", got, want)
	}
}

func isComment(line string) bool { return strings.HasPrefix(line, "# ") }

func TestExampleFileChangesNothing(t *testing.T) {
	var environ []string
	for _, line := range readLines(t, "../../config.example.env") {
		if match := setting.FindStringSubmatch(line); match != nil {
			environ = append(environ, strings.Replace(match[1], "_NAME_", "_OPENAI_", 1)+"="+match[2])
		}
	}
	got, err := load(environ)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Timeouts.TotalSet, want.Timeouts.StreamIdleSet = true, true // to what they are
	if !reflect.DeepEqual(got.Config, want) {
		t.Errorf("got  %+v\nwant %+v", got.Config, want)
	}
}

// A row of the README's table: | OUTRIGGER_X | default | meaning |, where backticks
// and a hint at the _FILE variable may be added.
var row = regexp.MustCompile("^\\| *`?(OUTRIGGER_[A-Z0-9_]+)`?[^|]*\\| *([^|]*?) *\\| *([^|]*?) *\\|$")

func TestREADMEListsEveryVariable(t *testing.T) {
	if _, err := os.Stat("README.md"); os.IsNotExist(err) {
		t.Skip("there is no README.md yet")
	}
	var got []documented
	for i, line := range readLines(t, "README.md") {
		match := row.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		got = append(got, documented{match[1], strings.Trim(match[2], "`")})
		if match[3] == "" {
			t.Errorf("line %d: %s has no meaning", i+1, match[1])
		}
	}
	if got, want := sorted(got), table(); !reflect.DeepEqual(got, want) {
		t.Errorf("README.md has\n%v\nwant\n%v", got, want)
	}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

// Every upstream of the README's table of providers can be configured as it stands there,
// with names in place of its placeholders.
func TestTheReadmesUpstreamsAreWellFormed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([a-z][^`= ]*=https?://[^` ]+)`").FindAllStringSubmatch(string(readme), -1)
	if len(rows) < 25 {
		t.Errorf("%d upstreams", len(rows))
	}
	for _, row := range rows {
		filled := regexp.MustCompile(`\b[A-Z]+\b`).ReplaceAllString(row[1], "eu-west-1")
		if _, err := load([]string{"OUTRIGGER_UPSTREAMS=" + filled}); err != nil {
			t.Errorf("%s: %v", row[1], err)
		}
	}
}
