package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"outrigger/test/bench/compare/cost"
	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/storms"
)

// example is a small comparison: two peers, one storm, one peer that was skipped.
func example() *All {
	return &All{
		Date: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), Machine: "a machine", Cores: 2, Load: 3,
		Order: []string{peers.Bare, peers.Outrigger}, Skipped: map[string]string{"Envoy": "<no> [binary]"},
		Cost: &cost.Result{ManyStreams: 9500, Rounds: map[cost.Measure]map[string][]float64{
			cost.CPU:   {peers.Bare: {10, 30, 20}, peers.Outrigger: {40, 20, 30}},
			cost.Ratio: {peers.Outrigger: {1.5}},
		}},
		Storms: &storms.Result{Scores: map[string]map[string]storms.Score{
			"creates": {storms.Alone: {Success: 60, Duplicates: 7}, peers.Outrigger: {Success: 50}},
			"rate":    {storms.Alone: {Success: 60}, peers.Outrigger: {Success: 100, Makespan: 9.25}},
		}},
	}
}

func TestTables_ShowMediansAndWhatIsMissing(t *testing.T) {
	a := example()
	for _, want := range []string{"| Outrigger | 30 (25 to 35) | 1.50 |", "| 9,500 streams open |"} {
		if !strings.Contains(a.CostTables(), want) {
			t.Errorf("no %q in\n%s", want, a.CostTables())
		}
	}
	text := a.StormTables()
	for _, want := range []string{"| rate | 100.0 | 60.0 | 100.0 |", "| files created twice | 0 | 7 | 0 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "| slots |") {
		t.Errorf("a storm that was not played in\n%s", text)
	}
	if got := a.Notes(); !strings.Contains(got, "Envoy was skipped") {
		t.Errorf("notes %q", got)
	}
}

func TestSummary_CountsStormsThatNobodyDoesBetterIn(t *testing.T) {
	if got := example().Summary(); !strings.Contains(got, "In 2 of 2 storms") {
		t.Errorf("summary %q", got)
	}
}

func TestPlots_AreXML(t *testing.T) {
	plots := example().Plots()
	for _, name := range []string{"cpu.svg", "storms.svg"} {
		decoder := xml.NewDecoder(strings.NewReader(plots[name]))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, plots[name])
			}
		}
	}
	if !strings.Contains(plots["cpu.svg"], "30 ms, 1.50 × bare") {
		t.Errorf("no label in %s", plots["cpu.svg"])
	}
}

func TestReplace_ChangesOnlyThePart(t *testing.T) {
	page := "a\n<!-- compare:x -->\nold\n<!-- /compare -->\nb\n<!-- compare:y -->\n<!-- /compare -->\n"
	got, err := Replace(page, "y", "new\n\n")
	if want := strings.Replace(page, "y -->\n", "y -->\nnew\n", 1); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Replace(page, "z", "new"); !errors.Is(err, ErrNoPart) {
		t.Errorf("a missing part: %v", err)
	}
}
