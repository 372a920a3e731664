package proxy

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	proxyPath = "outrigger/proxy" // the import path of this directory

	// maxFiles is how many production files a package may have before a listing of it no
	// longer says what it does.
	maxFiles = 20
)

// restricted are modules that only some packages may import, by a prefix of the import path.
// Everything else is told through observe.Recorder, so that a stage cannot grow a metric or
// a log format of its own.
var restricted = map[string]map[string]string{
	"github.com/prometheus/": {
		"proxy":     "it composes the others and hands the registry on",
		"observe":   "metrics of requests",
		"status":    "metrics of limiters, breakers and stores, read when they are scraped",
		"admin":     "the /metrics page",
		"intercept": "its tunnels are no requests, so no recorder hears of them",
	},
	"go.opentelemetry.io/":      {"trace": "traces"},
	"github.com/lmittmann/tint": {"observe": "the log"},
}

// importRow is a package in the table of README.md.
type importRow struct {
	name    string // under proxy/; "proxy" is this package itself
	imports []string
}

// source is a package as it is in the tree.
type source struct {
	files   int             // production files
	imports map[string]bool // import paths
}

// TestImportsAreThoseOfTheTable keeps the architecture in one place: the table in README.md.
// It compares in both directions, so the table can be read instead of the code.
func TestImportsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := importTable(string(page))
	if len(rows) == 0 {
		t.Fatal("README.md has no table of packages under \"## Packages\"; its rows are | `package` | sentence | `import`, `import` |")
	}
	sources, err := readSources(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range importFindings(rows, sources) {
		t.Error(finding)
	}
}

var codeName = regexp.MustCompile("`([^`]+)`")

// importTable reads the table of packages.
func importTable(page string) []importRow {
	_, section, _ := strings.Cut(page, "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []importRow
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			continue
		}
		name := codeName.FindStringSubmatch(cells[0])
		if name == nil {
			continue
		}
		row := importRow{name: name[1]}
		for _, imported := range codeName.FindAllStringSubmatch(cells[2], -1) {
			row.imports = append(row.imports, imported[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// readSources reads the imports of all production files under root, whatever their build
// tags.
func readSources(root string) (map[string]source, error) {
	sources := map[string]source{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name := shortName(path.Join(proxyPath, filepath.ToSlash(filepath.Dir(file))))
		s := sources[name]
		if s.imports == nil {
			s.imports = map[string]bool{}
		}
		s.files++
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports[imported] = true
		}
		sources[name] = s
		return nil
	})
	return sources, err
}

// shortName is an import path as the table has it; "" if it is not under proxy.
func shortName(importPath string) string {
	if importPath == proxyPath {
		return "proxy"
	}
	name, ok := strings.CutPrefix(importPath, proxyPath+"/")
	if !ok {
		return ""
	}
	return name
}

// importFindings compares the table with the packages, and both with the rules.
func importFindings(rows []importRow, sources map[string]source) []string {
	var findings []string
	find := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	place := map[string]int{}
	for i, row := range rows {
		if _, twice := place[row.name]; twice {
			find("README.md has two rows for package %s: delete one", row.name)
		}
		place[row.name] = i
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		s := sources[name]
		if _, ok := place[name]; !ok {
			find("package %s has no row in README.md: add one, above the packages that it imports", name)
		}
		if s.files > maxFiles {
			find("package %s has %d production files, at most %d may be: move one of its concerns to a package of its own", name, s.files, maxFiles)
		}
		for _, imported := range slices.Sorted(maps.Keys(s.imports)) {
			findings = append(findings, importRules(name, imported)...)
		}
	}
	for i, row := range rows {
		s, ok := sources[row.name]
		if !ok {
			find("README.md has a row for %s, which is no package: delete the row", row.name)
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(s.imports)) {
			if short := shortName(imported); short != "" && !slices.Contains(row.imports, short) {
				find("package %s imports %s, which its row in README.md does not list: remove the import, or add it to the row if the arrow is meant", row.name, short)
			}
		}
		for _, short := range row.imports {
			if !s.imports[proxyPath+"/"+short] {
				find("package %s no longer imports %s: delete it from the row in README.md", row.name, short)
			}
			if below, ok := place[short]; ok && below <= i {
				find("package %s imports %s, whose row in README.md is not below its own: move the row; if no order fits, the imports form a cycle, and one of them must become an interface or a function that is passed in", row.name, short)
			}
		}
	}
	return findings
}

// importRules holds one import against the rules that no row can lift.
func importRules(name, imported string) []string {
	var findings []string
	importer := proxyPath
	if name != "proxy" {
		importer = path.Join(proxyPath, name)
	}
	if strings.HasPrefix(importer, imported+"/") {
		findings = append(findings, fmt.Sprintf("package %s imports the package of its parent directory, %s: move what both need into a package below both", name, imported))
	}
	for prefix, allowed := range restricted {
		if strings.HasPrefix(imported+"/", strings.TrimSuffix(prefix, "/")+"/") && allowed[name] == "" {
			findings = append(findings, fmt.Sprintf("package %s imports %s, which only %s may: tell an observe.Recorder instead", name, imported,
				strings.Join(slices.Sorted(maps.Keys(allowed)), ", ")))
		}
	}
	return findings
}

// TestImportRulesFindEachViolation breaks each rule in a small tree: a rule that finds
// nothing looks the same as a clean house.
func TestImportRulesFindEachViolation(t *testing.T) {
	t.Parallel()
	table := func(lines ...string) string {
		return "# Page\n\n## Packages\n\n| package | it does | imports |\n|---|---|---|\n" + strings.Join(lines, "\n") + "\n\n## Next\n"
	}
	proxyRow, gateRow, wireRow := "| `proxy` | composes | `gate`, `wire` |", "| `gate` | waits | `wire` |", "| `wire` | names | |"
	clean := func() map[string]source {
		return map[string]source{
			"proxy": {files: 1, imports: map[string]bool{"fmt": true, proxyPath + "/gate": true, proxyPath + "/wire": true}},
			"gate":  {files: maxFiles, imports: map[string]bool{proxyPath + "/wire": true}},
			"wire":  {files: 1, imports: map[string]bool{}},
		}
	}
	for _, c := range []struct {
		name, page string
		change     func(map[string]source)
		want       []string // parts of the findings
	}{
		{"clean", table(proxyRow, gateRow, wireRow), nil, nil},
		{"missing row", table("| `proxy` | composes | `gate`, `wire` |", gateRow), nil, []string{"wire has no row"}},
		{"second row", table(proxyRow, gateRow, wireRow, wireRow), nil, []string{"two rows for package wire"}},
		{"row without a package", table(proxyRow, gateRow, wireRow, "| `lost` | gone | |"), nil, []string{"row for lost, which is no package"}},
		{"import not in the row", table(proxyRow, "| `gate` | waits | |", wireRow), nil, []string{"gate imports wire, which its row"}},
		{"import no longer used", table(proxyRow, gateRow, wireRow), func(s map[string]source) { delete(s["gate"].imports, proxyPath+"/wire") }, []string{"gate no longer imports wire"}},
		{"wrong order", table(proxyRow, wireRow, gateRow), nil, []string{"gate imports wire, whose row in README.md is not below"}},
		{"cycle", table(proxyRow, gateRow, "| `wire` | names | `gate` |"), func(s map[string]source) { s["wire"].imports[proxyPath+"/gate"] = true }, []string{"wire imports gate, whose row in README.md is not below"}},
		{"too many files", table(proxyRow, gateRow, wireRow), func(s map[string]source) { s["wire"] = source{files: maxFiles + 1} }, []string{"wire has 21 production files"}},
		{
			"parent", table(proxyRow, gateRow, "| `gate/line` | queues | `gate` |", wireRow),
			func(s map[string]source) {
				s["gate/line"] = source{files: 1, imports: map[string]bool{proxyPath + "/gate": true}}
			},
			[]string{"gate/line imports the package of its parent directory, outrigger/proxy/gate", "whose row in README.md is not below"},
		},
		{"package proxy", table(proxyRow, gateRow, wireRow), func(s map[string]source) { s["wire"].imports[proxyPath] = true }, []string{"wire imports the package of its parent directory, outrigger/proxy:", "wire imports proxy, which its row"}},
		{"metrics", table(proxyRow, gateRow, wireRow), func(s map[string]source) { s["wire"].imports["github.com/prometheus/client_golang/prometheus"] = true }, []string{"which only admin, intercept, observe, proxy, status may"}},
		{"log format", table(proxyRow, gateRow, wireRow), func(s map[string]source) { s["wire"].imports["github.com/lmittmann/tint"] = true }, []string{"which only observe may"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sources := clean()
			if c.change != nil {
				c.change(sources)
			}
			got := importFindings(importTable(c.page), sources)
			if len(got) != len(c.want) {
				t.Fatalf("findings %q, want %d with %q", got, len(c.want), c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("finding %q, want one with %q", got[i], want)
				}
			}
		})
	}
}
