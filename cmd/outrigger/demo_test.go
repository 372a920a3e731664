package main

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
)

func TestTheDemoEndsWithAComparisonThatOutriggerWins(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 12 s")
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "-once"}, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	row := func(pattern string) (float64, float64) {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + pattern + `\D* ([0-9.]+)[ %s]+([0-9.]+)`).FindStringSubmatch(stdout.String())
		if m == nil {
			t.Fatalf("no row %q in\n%s", pattern, stdout.String())
		}
		straight, _ := strconv.ParseFloat(m[1], 64)
		through, _ := strconv.ParseFloat(m[2], 64)
		return straight, through
	}
	if straight, through := row("complete answers"); through < 85 || through <= straight {
		t.Errorf("%v %% complete through Outrigger, %v %% straight", through, straight)
	}
	if straight, through := row("cut streams that looked complete"); through != 0 || straight == 0 {
		t.Errorf("%v silent cuts through Outrigger, %v straight", through, straight)
	}
	if straight, through := row("uploads that made a file twice"); through != 0 || straight == 0 {
		t.Errorf("%v duplicates through Outrigger, %v straight", through, straight)
	}
	if straight, through := row("upstream calls per request"); through > 1.3 || through >= straight {
		t.Errorf("%v calls per request through Outrigger, %v straight", through, straight)
	}
}
