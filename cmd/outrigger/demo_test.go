package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestTheDemoEndsWithComparisonsThatOutriggerWins(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "-once"}, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	burst, full, found := strings.Cut(stdout.String(), "Now an upstream")
	if !found {
		t.Fatalf("no second scene in\n%s", stdout.String())
	}
	row := func(scene, pattern string) (float64, float64) {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + pattern + `\D* ([0-9.]+)[ %s]+([0-9.]+)`).FindStringSubmatch(scene)
		if m == nil {
			t.Fatalf("no row %q in\n%s", pattern, scene)
		}
		straight, _ := strconv.ParseFloat(m[1], 64)
		through, _ := strconv.ParseFloat(m[2], 64)
		return straight, through
	}
	if straight, through := row(burst, "complete answers"); through < 85 || through <= straight {
		t.Errorf("%v %% complete through Outrigger, %v %% straight", through, straight)
	}
	if straight, through := row(burst, "cut streams that looked complete"); through != 0 || straight == 0 {
		t.Errorf("%v silent cuts through Outrigger, %v straight", through, straight)
	}
	if straight, through := row(burst, "uploads that made a file twice"); through != 0 || straight == 0 {
		t.Errorf("%v duplicates through Outrigger, %v straight", through, straight)
	}
	if straight, through := row(burst, "upstream calls per request"); through > 1.3 || through >= straight {
		t.Errorf("%v calls per request through Outrigger, %v straight", through, straight)
	}
	if straight, through := row(full, "complete answers"); through < 99 || through <= straight {
		t.Errorf("full upstream: %v %% complete through Outrigger, %v %% straight", through, straight)
	}
	if straight, through := row(full, "upstream calls per request"); through > 1.3 || through >= straight {
		t.Errorf("full upstream: %v calls per request through Outrigger, %v straight", through, straight)
	}
}
