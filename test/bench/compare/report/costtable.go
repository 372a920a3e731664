package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"outrigger/test/bench/compare/cost"
)

// none stands where nothing was measured.
const none = "–"

// CostTables are the tables of what each peer costs.
func (a *All) CostTables() string {
	var out strings.Builder
	a.table(&out, "| | CPU ms per 1,000 requests | times bare | CPU µs per event | times bare |", []column{
		{cost.CPU, "%.0f", true}, {cost.Ratio, "%.2f", true}, {cost.Event, "%.1f", true}, {cost.EventRate, "%.2f", true},
	})
	a.table(&out, "| | added ms, p50 | added ms, p99 | at requests per second | first event, added ms |", []column{
		{cost.AddedP50, "%.2f", true}, {cost.AddedP99, "%.1f", true}, {cost.HalfRate, "%.0f", false}, {cost.First, "%.2f", true},
	})
	a.table(&out, fmt.Sprintf("| | memory MiB, idle | 1,000 streams open | %s streams open |", thousands(a.Cost.ManyStreams)), []column{
		{cost.Idle, "%.0f", false}, {cost.Thousand, "%.0f", true}, {cost.Many, "%.0f", false},
	})
	return out.String()
}

// column is a measure and how its median is written, with the quartiles if they are wanted.
type column struct {
	measure   cost.Measure
	format    string
	quartiles bool
}

func (a *All) table(out *strings.Builder, head string, columns []column) {
	out.WriteString(head + "\n|---" + strings.Repeat("|---:", len(columns)) + "|\n")
	for _, name := range a.Order {
		cells := []string{a.title(name)}
		for _, c := range columns {
			cells = append(cells, a.cell(c, name))
		}
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	out.WriteString("\n")
}

func (a *All) cell(c column, name string) string {
	q, ok := a.Cost.Quartiles(c.measure, name)
	if !ok {
		return none
	}
	text := fmt.Sprintf(c.format, q[1])
	if c.quartiles && len(a.Cost.Rounds[c.measure][name]) > 1 {
		text += fmt.Sprintf(" ("+c.format+" to "+c.format+")", q[0], q[2])
	}
	return text
}

// title is the peer's name and version.
func (a *All) title(name string) string {
	if v := a.Version[name]; v != "" {
		return name + " " + v
	}
	return name
}

// Notes are a list of what is missing, and why.
func (a *All) Notes() string {
	var lines []string
	for name, why := range a.Skipped {
		lines = append(lines, fmt.Sprintf("- %s was skipped: %s", name, why))
	}
	if a.Cost != nil {
		for name, list := range a.Cost.Notes {
			for _, text := range list {
				lines = append(lines, fmt.Sprintf("- %s: %s", name, oneLine(text)))
			}
		}
	}
	if a.Storms != nil {
		for name, text := range a.Storms.Notes {
			lines = append(lines, fmt.Sprintf("- %s in the storms: %s", name, oneLine(text)))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// oneLine makes a text fit into a list: no line breaks, no markup, no more than a line or two.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.NewReplacer("`", "'", "[", "(", "]", ")", "<", "(", ">", ")").Replace(text)
	return text[:min(len(text), 240)]
}

// thousands writes 9500 as 9,500.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
