package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what the tests read of Grafana's.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name string }
	}
	Panels []panel
}

type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	Datasource  struct{ UID string }
	Targets     []struct{ Expr, RefID, LegendFormat string }
}

func load(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, filepath.Join(directory, "dashboard.json"))), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDashboard_PanelsHaveTheirPlaceAndSource(t *testing.T) {
	d := load(t)
	if d.UID == "" || d.Title == "" || d.SchemaVersion == 0 || len(d.Panels) < 10 {
		t.Fatalf("%d panels, uid %q", len(d.Panels), d.UID)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: no title, or the id of another", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies over %q or beside the grid", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q: data source %q, %d queries", p.Title, p.Datasource.UID, len(p.Targets))
		}
	}
}

var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

// Every query of the dashboard parses, with what Grafana puts in the place of its variables.
func TestDashboard_QueriesParse(t *testing.T) {
	d := load(t)
	known := map[string]string{"__rate_interval": "5m"}
	for _, v := range d.Templating.List {
		known[v.Name] = ".*"
	}
	var b bytes.Buffer
	b.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := variable.ReplaceAllStringFunc(target.Expr, func(found string) string {
				value, ok := known[strings.Trim(found, "${}")]
				if !ok {
					t.Errorf("panel %q: no variable %s", p.Title, found)
				}
				return value
			})
			fmt.Fprintf(&b, "  - record: panel:%d_%s\n    expr: %q\n", p.ID, target.RefID, expr)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "dashboard.yaml"), b.String())
	promtool(t, dir, "", "check", "rules", "dashboard.yaml")
}
