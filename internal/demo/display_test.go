package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim"
)

func TestTheReportHasAColumnForEachSide(t *testing.T) {
	for share, scene := range map[string]Scene{"0.3 %": badDay(), "0.5 %": fullHouse()} {
		reportHasColumns(t, scene, share)
	}
}

// reportHasColumns plays one complete answer of the scene, which is share of its calls,
// and two others.
func reportHasColumns(t *testing.T, scene Scene, share string) {
	t.Helper()
	s := sim.New(sim.Config{})
	defer s.Close()
	start := time.Now()
	scores := make([]*Score, 0, 2)
	for _, name := range []string{"straight", "through Outrigger"} {
		score := &Score{Name: name, sim: s}
		score.begin(start)
		scores = append(scores, score)
	}
	scores[0].end(start.Add(time.Second), complete)
	scores[0].end(start.Add(2*time.Second), silent)
	scores[1].end(start.Add(3*time.Second), told)
	for _, score := range scores {
		score.finish(start.Add(4 * time.Second))
	}
	var out strings.Builder
	scene.report(&out, scores)
	for _, want := range []string{"straight", "through Outrigger", share, "1.0 s", scene.title} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if got := scene.line("straight", scores[0].Count(start)); !strings.Contains(got, fmt.Sprintf("1 of %d complete,   1 failed", scene.total)) {
		t.Errorf("progress line %q", got)
	}
}

func TestTheClientRetriesAsTheSDKsDo(t *testing.T) {
	tests := map[string]struct {
		status int
		header string
		want   bool
	}{
		"429":                           {429, "", true},
		"500":                           {500, "", true},
		"529":                           {529, "", true},
		"400":                           {400, "", false},
		"425":                           {425, "", false},
		"502 with x-should-retry false": {502, "false", false},
		"400 with x-should-retry true":  {400, "true", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := worthRetrying(answer(tt.status, tt.header), nil); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
	if !worthRetrying(nil, errLost) {
		t.Error("a lost connection is not retried")
	}
}
