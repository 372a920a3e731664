package policy_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What policy and its leaves may import. Whatever is not here does I/O, waits,
// logs, or has not been thought about.
var allowed = map[string]bool{
	"bytes": true, "cmp": true, "container/heap": true, "container/list": true,
	"encoding/json": true, "errors": true, "fmt": true, "iter": true, "maps": true,
	"math": true, "math/bits": true, "net/http": true, "net/textproto": true, "net/url": true, "regexp": true, "slices": true,
	"sort": true, "strconv": true, "strings": true, "sync": true, "sync/atomic": true,
	"time": true, "unicode": true, "unicode/utf8": true,
	"golang.org/x/time/rate":           true,
	"github.com/sony/gobreaker/v2":     true,
	"outrigger/internal/jsonscan":      true,
	"outrigger/internal/lazyregexp":    true,
	"outrigger/internal/values":        true,
	"outrigger/policy":                 true,
	"outrigger/policy/classify":        true,
	"outrigger/policy/classify/hint":   true,
	"outrigger/policy/concurrency":     true,
	"outrigger/policy/echoes":          true,
	"outrigger/policy/endpoint":        true,
	"outrigger/policy/httpfield":       true,
	"outrigger/policy/limit":           true,
	"outrigger/policy/limit/counts":    true,
	"outrigger/policy/limit/headers":   true,
	"outrigger/policy/limit/shared":    true,
	"outrigger/policy/limit/slowstart": true,
	"outrigger/policy/preset":          true,
	"outrigger/policy/priority":        true,
}

// The parts of those packages that may not be used, and the only parts of others
// that may: a name, or the start of one before a star.
var (
	forbidden = map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	}
	only = map[string][]string{
		"net/http":      {"Status*", "Method*", "TimeFormat", "ParseTime", "CanonicalHeaderKey"},
		"net/textproto": {"CanonicalMIMEHeaderKey"},
		"net/url":       {"PathEscape", "PathUnescape"},
	}
)

// clocked is the one file that reads the clock, because gobreaker does.
const clocked = "policy/breaker.go"

// breach is one thing that a file must not do.
type breach struct{ File, What string }

func TestPolicyOnlyDecides(t *testing.T) {
	t.Parallel()
	var got []breach
	for name, file := range sources(t, "policy") {
		got = append(got, impurities(name, file)...)
	}
	report(t, got)
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	var got []breach
	for name, file := range sources(t, "") {
		for _, imported := range imports(file) {
			within := func(tree string) bool {
				return imported == "outrigger/"+tree || strings.HasPrefix(imported, "outrigger/"+tree+"/")
			}
			switch {
			case within("cmd"):
				got = append(got, breach{name, "imports " + imported})
			case within("proxy") && !strings.HasPrefix(name, "proxy/") && !strings.HasPrefix(name, "internal/config/") && !strings.HasPrefix(name, "cmd/") && !strings.HasPrefix(name, "test/"):
				got = append(got, breach{name, "imports " + imported})
			}
		}
		if strings.HasPrefix(name, "proxy/") {
			for _, used := range selectors(file, "os") {
				if slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, used) {
					got = append(got, breach{name, "reads the environment: os." + used})
				}
			}
		}
	}
	report(t, got)
}

// TestTheRulesAreSeenBroken runs the check on a file that breaks every rule: one
// that finds nothing would pass for ever.
func TestTheRulesAreSeenBroken(t *testing.T) {
	t.Parallel()
	const bad = `package bad
import (
	"context"
	"net/http"
	clock "time"
	"fmt"
	. "strings"
)
func f(r http.Request) {
	go f(r)
	clock.Sleep(1)
	fmt.Println(http.StatusOK, http.MethodGet, http.DefaultClient, clock.Second, context.Background())
}`
	file, err := parser.ParseFile(token.NewFileSet(), "bad.go", bad, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := impurities("policy/bad.go", file)
	slices.SortFunc(got, compare)
	equal(t, "breaches", got, []breach{
		{"policy/bad.go", "imports context"},
		{"policy/bad.go", "imports strings without its name"},
		{"policy/bad.go", "starts a goroutine"},
		{"policy/bad.go", "uses fmt.Println"},
		{"policy/bad.go", "uses http.DefaultClient"},
		{"policy/bad.go", "uses http.Request"},
		{"policy/bad.go", "uses time.Sleep"},
	})
	if got := impurities(clocked, file); len(got) != 7 {
		t.Errorf("%s may read the clock and not sleep: %v", clocked, got)
	}
}

// impurities lists what file does that a file of policy must not.
func impurities(name string, file *ast.File) []breach {
	var got []breach
	add := func(format string, args ...any) { got = append(got, breach{name, fmt.Sprintf(format, args...)}) }
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if !allowed[imported] {
			add("imports %s", imported)
		}
		if spec.Name != nil && (spec.Name.Name == "." || spec.Name.Name == "_") {
			add("imports %s without its name", imported)
		}
		if imported == "github.com/sony/gobreaker/v2" && name != clocked {
			add("imports %s", imported)
		}
		for _, used := range selectors(file, imported) {
			if mayUse(name, imported, used) {
				continue
			}
			add("uses %s.%s", path.Base(imported), used)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if _, ok := n.(*ast.GoStmt); ok {
			add("starts a goroutine")
		}
		return true
	})
	return got
}

func mayUse(name, imported, used string) bool {
	if name == clocked && imported == "time" && (used == "Now" || used == "Since") {
		return true
	}
	names, restricted := only[imported]
	if !restricted {
		return !slices.Contains(forbidden[imported], used)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		prefix, star := strings.CutSuffix(name, "*")
		return used == name || star && strings.HasPrefix(used, prefix)
	})
}

// selectors lists the names that file uses of an imported package.
func selectors(file *ast.File, imported string) []string {
	local := ""
	for _, spec := range file.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == imported {
			local = path.Base(imported)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == local && local != "" {
			names = append(names, s.Sel.Name)
		}
		return true
	})
	return names
}

func imports(file *ast.File) []string {
	var paths []string
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// sources parses the files of a tree of the repository, without tests when the
// tree is policy's: those may do as they like. Names are relative to the root.
func sources(t *testing.T, tree string) map[string]*ast.File {
	t.Helper()
	files, set := map[string]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir(filepath.Join("..", tree), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && len(base) > 2 && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || tree != "" && strings.HasSuffix(base, "_test.go") {
			return nil
		}
		name := strings.TrimPrefix(filepath.ToSlash(p), "../")
		mode := parser.SkipObjectResolution
		if tree == "" && !strings.HasPrefix(name, "proxy/") {
			mode |= parser.ImportsOnly
		}
		file, err := parser.ParseFile(set, p, nil, mode)
		if err != nil {
			return err
		}
		files[name] = file
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no files in %q", tree)
	}
	return files
}

func compare(a, b breach) int {
	return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.What, b.What))
}

func report(t *testing.T, got []breach) {
	t.Helper()
	slices.SortFunc(got, compare)
	for _, b := range got {
		t.Errorf("%s %s", b.File, b.What)
	}
}
