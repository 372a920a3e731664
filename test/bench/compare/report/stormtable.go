package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/storms"
)

// ways are the columns of the storms' tables.
func (a *All) ways() []string {
	all := []string{storms.Alone}
	for _, name := range a.Order {
		if name != peers.Bare && a.played(name) {
			all = append(all, name)
		}
	}
	return all
}

func (a *All) played(name string) bool {
	for _, scores := range a.Storms.Scores {
		if _, ok := scores[name]; ok {
			return true
		}
	}
	return false
}

// stormsPlayed are the rows of the storms' tables.
func (a *All) stormsPlayed() []storms.Storm {
	return slices.DeleteFunc(storms.All(), func(s storms.Storm) bool { return len(a.Storms.Scores[s.Name]) == 0 })
}

// figure is one of a storm's, and what it is at best.
type figure struct {
	title string
	of    func(storms.Score) string
	best  func(storms.Best) string
}

var figures = []figure{
	{"success in %", func(s storms.Score) string { return fmt.Sprintf("%.1f", s.Success) }, func(b storms.Best) string { return fmt.Sprintf("%.1f", b.Success) }},
	{"seconds until the last call ended", func(s storms.Score) string { return fmt.Sprintf("%.1f", s.Makespan) }, func(b storms.Best) string { return fmt.Sprintf("%.1f", b.Makespan) }},
	{"upstream calls per request", func(s storms.Score) string { return fmt.Sprintf("%.2f", s.Calls) }, func(b storms.Best) string { return fmt.Sprintf("%.2f", b.Calls) }},
}

// StormTables are a table for each figure, with the storms as rows.
func (a *All) StormTables() string {
	var out strings.Builder
	ways := a.ways()
	for _, f := range figures {
		_, _ = fmt.Fprintf(&out, "| %s | at best | %s |\n|---|---:%s|\n", f.title, strings.Join(ways, " | "), strings.Repeat("|---:", len(ways)))
		for _, s := range a.stormsPlayed() {
			cells := []string{s.Name, f.best(s.Best())}
			for _, way := range ways {
				cells = append(cells, a.score(s.Name, way, f.of))
			}
			out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		}
		out.WriteString("\n")
	}
	_, _ = fmt.Fprintf(&out, "| harm done | at best | %s |\n|---|---:%s|\n", strings.Join(ways, " | "), strings.Repeat("|---:", len(ways)))
	a.harm(&out, "creates", "files created twice", ways, func(s storms.Score) string { return strconv.Itoa(s.Duplicates) })
	a.harm(&out, "cut streams", "cut streams that looked complete", ways, func(s storms.Score) string { return strconv.Itoa(s.Silent) })
	return out.String()
}

func (a *All) harm(out *strings.Builder, storm, what string, ways []string, of func(storms.Score) string) {
	cells := []string{what, "0"}
	for _, way := range ways {
		cells = append(cells, a.score(storm, way, of))
	}
	out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (a *All) score(storm, way string, of func(storms.Score) string) string {
	if s, ok := a.Storms.Scores[storm][way]; ok {
		return of(s)
	}
	return none
}

// StormList says what the storms are.
func StormList() string {
	var out strings.Builder
	for _, s := range storms.All() {
		_, _ = fmt.Fprintf(&out, "- **%s**: %s.\n", s.Name, s.About)
	}
	return out.String()
}

// Failures are a failure of each way in each storm, for whoever wants to know why.
func (a *All) Failures() string {
	var out strings.Builder
	for _, s := range storms.All() {
		for _, way := range a.ways() {
			if score := a.Storms.Scores[s.Name][way]; score.Failure != "" {
				_, _ = fmt.Fprintf(&out, "%s, %s: %s\n", s.Name, way, score.Failure)
			}
		}
	}
	return out.String()
}
