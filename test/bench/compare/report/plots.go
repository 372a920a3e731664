package report

import (
	"fmt"
	"strconv"
	"strings"

	"outrigger/test/bench/compare/cost"
	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/storms"
)

// Plots are the pictures, by the name of their file.
func (a *All) Plots() map[string]string {
	plots := map[string]string{}
	if a.Cost != nil {
		plots["cpu.svg"] = a.bars(cost.CPU, "CPU per 1,000 requests of 1 KB, in ms", "%.0f ms", cost.Ratio)
		plots["event.svg"] = a.bars(cost.Event, "CPU per streamed event, in µs", "%.1f µs", cost.EventRate)
		plots["latency.svg"] = a.bars(cost.AddedP99, "Added latency at half load, 99th percentile, in ms", "%.1f ms", "")
		plots["memory.svg"] = a.bars(cost.Thousand, "Resident memory with 1,000 streams open, in MiB", "%.0f MiB", "")
	}
	if a.Storms != nil {
		plots["storms.svg"] = a.grid()
	}
	return plots
}

// bars draws a measure. Below a thousandth of the unit there is nothing to draw.
func (a *All) bars(m cost.Measure, title, format string, ratio cost.Measure) string {
	var bars []Bar
	for _, name := range a.measured(m) {
		q, _ := a.Cost.Quartiles(m, name)
		b := Bar{Name: name, Value: max(0.001, q[1]), Text: fmt.Sprintf(format, q[1]), Own: name == peers.Outrigger}
		if r, ok := a.Cost.Quartiles(ratio, name); ok && name != peers.Bare {
			b.Text += fmt.Sprintf(", %.2f × bare", r[1])
		}
		bars = append(bars, b)
	}
	return Bars(title, bars)
}

// grid shows the success in every storm, as a share of what is possible.
func (a *All) grid() string {
	ways := a.ways()
	var rows []string
	var cells [][]Cell
	for _, s := range a.stormsPlayed() {
		rows = append(rows, s.Name)
		var row []Cell
		for _, way := range ways {
			score, ok := a.Storms.Scores[s.Name][way]
			if !ok {
				row = append(row, Cell{Good: -1})
				continue
			}
			row = append(row, cell(score, s.Best()))
		}
		cells = append(cells, row)
	}
	rows = append(rows, "created twice", "cut silently")
	cells = append(cells, a.harmRow("creates", func(s storms.Score) int { return s.Duplicates }), a.harmRow("cut streams", func(s storms.Score) int { return s.Silent }))
	return Grid("Calls that succeed in each storm, in %; and how many files were created twice, or cut streams looked whole", ways, rows, cells)
}

// cell is a success rate. The color is the rate less the harm, as a share of what is possible.
func cell(s storms.Score, best storms.Best) Cell {
	harm := 100 * float64(s.Duplicates+s.Silent) / float64(max(1, s.Requests))
	return Cell{Text: strings.TrimSuffix(fmt.Sprintf("%.1f", s.Success), ".0"), Good: (s.Success - harm) / best.Success}
}

// harmRow is a row of counts, red where there are any.
func (a *All) harmRow(storm string, of func(storms.Score) int) []Cell {
	var row []Cell
	for _, way := range a.ways() {
		score, ok := a.Storms.Scores[storm][way]
		c := Cell{Good: -1}
		if ok {
			c = Cell{Text: strconv.Itoa(of(score))}
		}
		if ok && of(score) == 0 {
			c.Good = 1
		}
		row = append(row, c)
	}
	return row
}
