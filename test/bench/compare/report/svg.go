package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// style has both plots readable on a light and on a dark page.
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.soft { fill: #59636e; }
.bar { fill: #8c959f; }
.own { fill: #0969da; }
.grid { stroke: #d1d9e0; }
.cell { fill: #1f2328; text-anchor: middle; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .soft { fill: #9198a1; }
  .bar { fill: #656c76; }
  .own { fill: #4493f8; }
  .grid { stroke: #3d444d; }
}
</style>
`

// Bar is one of a plot.
type Bar struct {
	Name  string
	Value float64 // over 0
	Text  string  // behind the bar
	Own   bool    // Outrigger's
}

// Sizes of the plots.
const (
	plotWidth  = 820
	nameWidth  = 150
	textWidth  = 190
	barHeight  = 20
	barGap     = 8
	headHeight = 44
)

// Bars draws horizontal bars on a logarithmic scale: the values are orders of magnitude
// apart.
func Bars(title string, bars []Bar) string {
	low, high := math.Inf(1), 0.0
	for _, b := range bars {
		low, high = min(low, b.Value), max(high, b.Value)
	}
	low = math.Pow(10, math.Floor(math.Log10(low)-0.2))
	span := float64(plotWidth - nameWidth - textWidth)
	at := func(v float64) float64 { return span * math.Log10(v/low) / math.Log10(high/low) }
	height := headHeight + len(bars)*(barHeight+barGap) + 8
	var out strings.Builder
	begin(&out, height, title)
	for v := low; v <= high; v *= 10 {
		x := nameWidth + at(v)
		_, _ = fmt.Fprintf(&out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, headHeight-6, height-8)
		_, _ = fmt.Fprintf(&out, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\">%s</text>\n", x, headHeight-10, number(v))
	}
	for i, b := range bars {
		y := headHeight + i*(barHeight+barGap)
		class := "bar"
		if b.Own {
			class = "own"
		}
		_, _ = fmt.Fprintf(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", nameWidth-8, y+15, html.EscapeString(b.Name))
		_, _ = fmt.Fprintf(&out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", class, nameWidth, y, max(1, at(b.Value)), barHeight)
		_, _ = fmt.Fprintf(&out, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", nameWidth+at(b.Value)+6, y+15, html.EscapeString(b.Text))
	}
	out.WriteString("</svg>\n")
	return out.String()
}

// Cell is one of a grid: a text, and how good it is from 0 to 1; below 0 is nothing.
type Cell struct {
	Text string
	Good float64
}

const (
	cellHeight = 26
	cellLabel  = 116
)

// Grid draws a table whose cells are colored from red, which is bad, to green. The texts
// on the cells are dark on both pages, since the cells are light on both.
func Grid(title string, columns, rows []string, cells [][]Cell) string {
	height := headHeight + 22 + len(rows)*cellHeight + 8
	width := float64(plotWidth-cellLabel) / float64(len(columns))
	var out strings.Builder
	begin(&out, height, title)
	for i, name := range columns {
		class := "soft"
		if name == "Outrigger" {
			class = "title"
		}
		_, _ = fmt.Fprintf(&out, "<text class=\"%s\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" style=\"font-size:12px\">%s</text>\n", class, cellLabel+(float64(i)+0.5)*width, headHeight+12, html.EscapeString(name))
	}
	for r, name := range rows {
		y := headHeight + 22 + r*cellHeight
		_, _ = fmt.Fprintf(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", cellLabel-8, y+17, html.EscapeString(name))
		for c, cell := range cells[r] {
			if cell.Good < 0 {
				continue
			}
			x := cellLabel + float64(c)*width
			_, _ = fmt.Fprintf(&out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", x+1, y+1, width-2, cellHeight-2, shade(cell.Good))
			_, _ = fmt.Fprintf(&out, "<text class=\"cell\" x=\"%.1f\" y=\"%d\" style=\"fill:#1f2328\">%s</text>\n", x+width/2, y+17, html.EscapeString(cell.Text))
		}
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func begin(out *strings.Builder, height int, title string) {
	_, _ = fmt.Fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", plotWidth, height, plotWidth, height, html.EscapeString(title))
	out.WriteString(style)
	_, _ = fmt.Fprintf(out, "<text class=\"title\" x=\"8\" y=\"20\">%s</text>\n", html.EscapeString(title))
}

// shade goes from a light red over yellow to a light green.
func shade(good float64) string {
	hue := 120 * math.Pow(max(0, min(1, good)), 2)
	return fmt.Sprintf("hsl(%.0f,65%%,72%%)", hue)
}

// number writes a power of ten.
func number(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%g", v), ".0") }
