package sim

import (
	"os"
	"strings"
	"testing"
)

func TestTheStormsOfTheReadmeCanBeStarted(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, storms, _ := strings.Cut(string(readme), "\n## Storms\n")
	storms, _, _ = strings.Cut(storms, "\n## ")
	n := 0
	for line := range strings.Lines(storms) {
		flags, found := strings.CutPrefix(line, "    outrigger sim ")
		if !found {
			continue
		}
		n++
		if cfg, err := parse(strings.Fields(flags)...); err != nil || cfg.Validate() != nil {
			t.Errorf("%s: %v, %v", flags, err, cfg.Validate())
		}
	}
	if n < 11 {
		t.Errorf("%d storms, want 11", n)
	}
}
