// Package docs checks the Markdown pages: links, anchors, and names of tests.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s#]*)#?([^)\s]*)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped = regexp.MustCompile(`[^\pL\pN _-]`)
	named   = regexp.MustCompile("`((?:Test|Benchmark)\\w+)(…?)`")
)

// read returns the Markdown pages of the repository by path, and the text of all its tests.
func read(t *testing.T) (map[string]string, string) {
	pages, tests := make(map[string]string), new(strings.Builder)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == ".tools") {
			return fs.SkipDir
		}
		text, _ := os.ReadFile(path)
		if strings.HasSuffix(path, ".md") {
			pages[path] = string(text)
		} else if strings.HasSuffix(path, "_test.go") {
			tests.Write(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages, tests.String()
}

func TestPages_LinksAndTestNamesExist(t *testing.T) {
	pages, tests := read(t)
	for page, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, found := filepath.Join(filepath.Dir(page), m[1]), m[2] == ""
			if m[1] == "" {
				target = page
			}
			for _, h := range heading.FindAllStringSubmatch(pages[target], -1) { // GitHub's anchors
				anchor := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
				found = found || anchor == m[2]
			}
			if _, err := os.Stat(target); !strings.Contains(m[1], ":") && (err != nil || !found) {
				t.Errorf("%s: no %s#%s", page, m[1], m[2])
			}
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if end := map[string]string{"": "(", "…": ""}[m[2]]; !strings.Contains(tests, "func "+m[1]+end) {
				t.Errorf("%s: no %s", page, m[1])
			}
		}
	}
}
