package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outrigger/test/bench/compare/cost"
	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/storms"
)

// ErrNoPart is wrapped by Replace's error.
var ErrNoPart = errors.New("no such part in the page")

// Replace puts a text between the comments <!-- compare:NAME --> and <!-- /compare --> of a
// page.
func Replace(page, name, text string) (string, error) {
	from, to := "<!-- compare:"+name+" -->\n", "<!-- /compare -->"
	before, rest, found := strings.Cut(page, from)
	_, after, ends := strings.Cut(rest, to)
	if !found || !ends {
		return "", fmt.Errorf("%w: %s", ErrNoPart, name)
	}
	return before + from + strings.TrimRight(text, "\n") + "\n" + to + after, nil
}

// Write puts the results, the plots and the parts of the pages into the repository at root.
func (a *All) Write(root string) error {
	results := filepath.Join(root, "test", "bench", "results")
	if err := os.MkdirAll(results, 0o755); err != nil { //nolint:gosec // results are for all to read
		return err
	}
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	files := a.Plots()
	files["results.json"] = string(text) + "\n"
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(results, name), []byte(content), 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	if err := edit(filepath.Join(root, "test", "bench", "README.md"), map[string]string{
		"stamp": a.Stamp(), "cost": a.CostTables(), "storms": a.StormTables(), "list": StormList(), "notes": a.Notes(),
	}); err != nil {
		return err
	}
	return edit(filepath.Join(root, "README.md"), map[string]string{"summary": a.Summary()})
}

func edit(path string, parts map[string]string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(page)
	for name, part := range parts {
		if text, err = Replace(text, name, part); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // pages are for all to read
}

// Summary is what the first page says: one or two sentences and a plot.
func (a *All) Summary() string {
	var out strings.Builder
	out.WriteString("![Success in every storm, with the SDK alone, through Outrigger and through each peer](test/bench/results/storms.svg)\n\n")
	_, _ = fmt.Fprintf(&out, "Measured on %s, on %s.", a.Date.Format("2006-01-02"), a.Machine)
	if best, of := a.unreached(); of > 0 {
		_, _ = fmt.Fprintf(&out, " In %d of %d storms nothing else had a higher success rate without creating files twice or hiding cut streams.", best, of)
	}
	if q, ok := a.Cost.Quartiles(cost.Ratio, peers.Outrigger); ok {
		_, _ = fmt.Fprintf(&out, " CPU per request: %.2f × a bare `httputil.ReverseProxy`", q[1])
		for _, name := range []string{"Caddy", "Portkey", "LiteLLM"} {
			if other, ok := a.Cost.Quartiles(cost.Ratio, name); ok {
				_, _ = fmt.Fprintf(&out, "; %s %.1f ×", name, other[1])
			}
		}
		out.WriteString(".")
	}
	return out.String() + "\n"
}

// unreached counts the storms in which nobody had a higher success rate without doing harm,
// and all storms.
func (a *All) unreached() (int, int) {
	if a.Storms == nil {
		return 0, 0
	}
	best, of := 0, 0
	for _, s := range storms.All() {
		scores := a.Storms.Scores[s.Name]
		own, ok := scores[peers.Outrigger]
		if !ok {
			continue
		}
		of++
		reached := false
		for name, other := range scores {
			reached = reached || name != peers.Outrigger && other.Success > own.Success+0.05 && other.Duplicates+other.Silent == 0
		}
		if !reached {
			best++
		}
	}
	return best, of
}
