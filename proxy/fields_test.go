package proxy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// maxFields is how many fields a struct may have: one with more serves several concerns, and
// each method can reach all of them.
const maxFields = 20

// manyFields are the structs that may have more, with the reason.
var manyFields = map[string]string{
	"observe.Metrics": "one field for each metric, and no method reads more than a few",
}

func TestStructFieldsStayFew(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name := shortName(path.Join(proxyPath, filepath.ToSlash(filepath.Dir(file))))
		for _, finding := range fieldFindings(name, parsed, seen) {
			t.Errorf("%s: %s", file, finding)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range manyFields {
		if !seen[name] {
			t.Errorf("there is no struct %s any more: delete its exception in manyFields", name)
		}
	}
}

// fieldFindings returns the structs of a file that have too many fields; embedded ones count
// as one. It adds to seen the exceptions that it met.
func fieldFindings(pkg string, file *ast.File, seen map[string]bool) []string {
	var findings []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		count := structure.Fields.NumFields()
		name := pkg + "." + spec.Name.Name
		switch {
		case manyFields[name] != "":
			seen[name] = true
		case count <= maxFields:
		default:
			findings = append(findings, fmt.Sprintf("struct %s has %d fields, at most %d may be: group those that change together in a struct of their own, with the methods that use only them", name, count, maxFields))
		}
		return true
	})
	return findings
}

func TestStructFieldsFindingsNameTheStruct(t *testing.T) {
	t.Parallel()
	names := strings.TrimSuffix(strings.Repeat("f, ", maxFields), ", ")
	for _, c := range []struct {
		pkg, text string
		want      int
	}{
		{"wire", "package wire; type T struct { " + names + " int }", 0},
		{"wire", "package wire; type T struct { " + names + " int; Embedded }", 1},
		{"observe", "package observe; type Metrics struct { " + names + " int; Embedded }", 0},
		{"wire", "package wire; func f() { type local struct { " + names + " int; Embedded } }", 1},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", c.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := fieldFindings(c.pkg, file, map[string]bool{}); len(got) != c.want {
			t.Errorf("%s: findings %q, want %d", c.text, got, c.want)
		}
	}
}
