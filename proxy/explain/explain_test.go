package explain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// constants returns the values of the string constants of a package whose type is kind, or
// whose name begins with one of prefixes.
func constants(t *testing.T, dir, kind string, prefixes ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typed, _ := spec.Type.(*ast.Ident)
			wanted := kind != "" && typed != nil && typed.Name == kind
			for _, prefix := range prefixes {
				wanted = wanted || spec.Type == nil && strings.HasPrefix(spec.Names[0].Name, prefix)
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && wanted && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				values = append(values, value)
			}
			return true
		})
	}
	return values
}

// outcomesOfAttempts returns what classify.Outcome has.
func outcomesOfAttempts() []string {
	var names []string
	for o := classify.OutcomeOK; !slices.Contains(names, o.String()) && o.String() != "unknown"; o++ {
		names = append(names, o.String())
	}
	return names
}

func TestTable_EachValueHasWords(t *testing.T) {
	t.Parallel()
	var decisions []string
	for _, r := range policy.Reasons() {
		decisions = append(decisions, string(r))
	}
	want := map[string][]string{
		"outcome":     slices.Concat(constants(t, "../call", "Outcome"), constants(t, "../apierror", "Code"), outcomesOfAttempts(), []string{"tripped"}),
		"decision":    decisions,
		"failover":    constants(t, "../../policy", "FailoverCause"),
		"queue":       constants(t, "../observe", "", "Queue"),
		"breaker":     {"", "scope", "budget"}, // where package loop waits at a breaker
		"reason":      constants(t, "../call", "", "Reason"),
		"source":      constants(t, "../call", "Source"),
		"resume":      constants(t, "../stream", "", "resumeDone", "resumeRefused", "resumeUnreachable", "resumeCut", "resumeTooLate"),
		"idempotency": constants(t, "../idempotency", "", "result", "Result"),
		"kind":        constants(t, "../observe", "Kind"),
		"would":       constants(t, "../observe", "Would"),
	}
	for what, words := range Table() {
		values := want[what]
		slices.Sort(values)
		values = slices.Compact(values)
		if len(values) == 0 {
			t.Errorf("%s: no values were found", what)
		}
		if got := slices.Sorted(maps.Keys(words)); !slices.Equal(got, values) {
			t.Errorf("%s: the table has\n%q, the code\n%q", what, got, values)
		}
	}
}

func TestTable_SettingsExist(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../config.example.env")
	if err != nil {
		t.Fatal(err)
	}
	for what, all := range Table() {
		for value, w := range all {
			if w.Text == "" {
				t.Errorf("%s %q has no words", what, value)
			}
			for setting := range strings.SplitSeq(w.Setting, ", ") {
				if w.Setting != "" && !strings.Contains(string(example), "\n#"+setting+"=") {
					t.Errorf("%s %q names %s, which config.example.env does not have", what, value, setting)
				}
			}
		}
	}
}
