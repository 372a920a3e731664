package report

import (
	"fmt"
	"time"

	"outrigger/test/bench/compare/cost"
	"outrigger/test/bench/compare/storms"
)

// All is a whole comparison.
type All struct {
	Date    time.Time         `json:"date"`
	Took    time.Duration     `json:"took_ns"`
	Machine string            `json:"machine"` // processor, cores, system
	Load    float64           `json:"load"`    // processes that were running or wanted to before it began
	Cores   int               `json:"cores"`
	Order   []string          `json:"order"`             // of the peers
	Version map[string]string `json:"versions"`          // of the peers
	Skipped map[string]string `json:"skipped,omitempty"` // why a peer is not in the tables
	Cost    *cost.Result      `json:"cost,omitempty"`
	Storms  *storms.Result    `json:"storms,omitempty"`
}

// Stamp says when, where and how.
func (a *All) Stamp() string {
	text := fmt.Sprintf("Measured by `make compare` on %s in %s, on %s.", a.Date.Format(time.DateOnly), a.Took.Round(time.Second), a.Machine)
	if a.Load > float64(a.Cores)/2 {
		text += fmt.Sprintf(" Other work was on the machine (load average %.1f on %d cores before it began), which adds to the latencies most.", a.Load, a.Cores)
	}
	return text
}

// measured are the peers for which there is such a measure.
func (a *All) measured(m cost.Measure) []string {
	var all []string
	for _, name := range a.Order {
		if _, ok := a.Cost.Quartiles(m, name); ok {
			all = append(all, name)
		}
	}
	return all
}
