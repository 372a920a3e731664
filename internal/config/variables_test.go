package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/settings"
)

// everyVariable is the table of variables, with NAME for the name of an upstream.
func everyVariable() []variable {
	return append(variablesOf(&Settings{}, Prefix), variablesOf(&settings.Upstream{}, upstreamPrefix("name"))...)
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
		reflect.TypeFor[bool]():            "false",
		reflect.TypeFor[string]():          "x",
		reflect.TypeFor[float64]():         "0.25",
		reflect.TypeFor[int]():             "3",
		reflect.TypeFor[[]NamedURL]():      "x=http://x",
		reflect.TypeFor[[]settings.Pair](): "x=y",

		reflect.TypeFor[[]settings.Model](): "x=y",
		reflect.TypeFor[store.Spec]():       "file:/x.db",

		reflect.TypeFor[[]settings.TokenPriority](): "x=low",
	}
	for prefix, root := range map[string]any{Prefix: &Settings{}, upstreamPrefix("name"): &settings.Upstream{}} {
		for _, v := range variablesOf(root, prefix) {
			text := samples[v.field.Type()]
			switch {
			case len(v.OneOf) > 0:
				text = v.OneOf[len(v.OneOf)-1]
			case text == "" && v.Max != "":
				text = v.Max
			case text == "" && v.Off && v.field.Kind() == reflect.Int64:
				text = "3s"
			case text == "":
				text = "x"
			}
			if v.field.Kind() == reflect.Bool {
				v.field.SetBool(true)
			}
			before := v.field.Interface()
			refused, err := parse(root, prefix, map[string]string{v.Name: text})
			if err != nil || len(refused) > 0 || reflect.DeepEqual(before, v.field.Interface()) {
				t.Errorf("%s=%s leaves its field, of type %s, at %v: %v, %v", v.Name, text, v.field.Type(), before, refused, err)
			}
		}
	}
}

// By name and type of its field env tells what it could not parse.
func TestEveryFieldIsToldByNameAndType(t *testing.T) {
	for _, all := range [][]variable{variablesOf(&Settings{}, Prefix), variablesOf(&settings.Upstream{}, Prefix)} {
		seen := map[fieldID]string{}
		for _, v := range all {
			if other := seen[v.id]; other != "" {
				t.Errorf("%s and %s both set a field %s of type %s", v.Name, other, v.id.name, v.id.kind)
			}
			seen[v.id] = v.Name
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
	got, err := Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Timeouts.TotalSet, want.Timeouts.StreamIdleSet = true, true // to what they are
	if !reflect.DeepEqual(got.Settings, want) {
		t.Errorf("got  %+v\nwant %+v", got.Settings, want)
	}
}

// A row of the README's table: | OUTRIGGER_X | default | meaning |, where backticks
// and a hint at the _FILE variable may be added.
var row = regexp.MustCompile("^\\| *`?(OUTRIGGER_[A-Z0-9_]+)`?[^|]*\\| *([^|]*?) *\\| *([^|]*?) *\\|$")

// configurationTables are the files that may have the table of all variables. One of them has it.
var configurationTables = []string{"../../cmd/outrigger/README.md", "../../README.md"}

func TestREADMEListsEveryVariable(t *testing.T) {
	var withTable []string
	for _, path := range configurationTables {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			continue
		}
		var got []documented
		for i, line := range readLines(t, path) {
			match := row.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			got = append(got, documented{match[1], strings.Trim(match[2], "`")})
			if match[3] == "" {
				t.Errorf("%s, line %d: %s has no meaning", path, i+1, match[1])
			}
		}
		if len(got) == 0 {
			continue
		}
		withTable = append(withTable, path)
		if want := table(); !reflect.DeepEqual(sorted(got), want) {
			t.Errorf("%s has\n%v\nwant\n%v", path, got, want)
		}
	}
	if len(withTable) != 1 {
		t.Errorf("the table of variables is in %q, want it in exactly one file of %q", withTable, configurationTables)
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

// Every upstream in a README's table of providers can be configured as it stands there,
// with names in place of its placeholders.
func TestTheReadmesUpstreamsAreWellFormed(t *testing.T) {
	var rows [][]string
	for _, pattern := range []string{"../../README.md", "../../*/README.md", "../../*/*/README.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			readme, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, providerRow.FindAllStringSubmatch(string(readme), -1)...)
		}
	}
	if len(rows) < 25 {
		t.Errorf("%d upstreams", len(rows))
	}
	for _, row := range rows {
		filled := regexp.MustCompile(`\b[A-Z]+\b`).ReplaceAllString(row[1], "eu-west-1")
		if _, err := Load([]string{"OUTRIGGER_UPSTREAMS=" + filled}); err != nil {
			t.Errorf("%s: %v", row[1], err)
		}
	}
}

var providerRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| `([a-z][^`= ]*=https?://[^` ]+)`")

// The list of what needs a restart is that of the tags.
func TestREADMEListsWhatNeedsARestart(t *testing.T) {
	text, err := os.ReadFile("../../cmd/outrigger/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "**What needs a restart**")
	list, _, found := strings.Cut(list, "So do variables")
	if !found {
		t.Fatal("there is no such list")
	}
	got := map[string]bool{}
	for _, name := range regexp.MustCompile(`OUTRIGGER_[A-Z_]+`).FindAllString(list, -1) {
		got[name] = true
	}
	want := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(s reflect.Type) {
		for i := range s.NumField() {
			field := s.Field(i)
			name, tagged := field.Tag.Lookup("env")
			switch {
			case tagged && field.Tag.Get("restart") == "true":
				want[Prefix+name] = true
			case !tagged && field.Type.Kind() == reflect.Struct:
				walk(field.Type)
			}
		}
	}
	walk(reflect.TypeFor[Settings]())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
