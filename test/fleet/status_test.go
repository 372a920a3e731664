package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// state is what a sidecar says of its fleet in /status.json.
type state struct {
	Degraded bool
	Cause    string
	Members  []json.RawMessage

	metric string // the value of outrigger_fleet_degraded
	text   string // the whole member "fleet"
}

// state asks the sidecar for what it says of its fleet.
func (s *sidecar) state(ctx context.Context) (state, error) {
	var page struct{ Fleet json.RawMessage }
	text, err := get(ctx, s.admin+"/status.json")
	if err != nil {
		return state{}, err
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		return state{}, err
	}
	if len(page.Fleet) == 0 {
		return state{}, fmt.Errorf("/status.json has no fleet: %.60s", text)
	}
	now := state{text: string(page.Fleet)}
	if err := json.Unmarshal(page.Fleet, &now); err != nil {
		return state{}, err
	}
	metrics, err := get(ctx, s.admin+"/metrics")
	if err != nil {
		return state{}, err
	}
	for line := range strings.Lines(metrics) {
		if rest, ok := strings.CutPrefix(line, "outrigger_fleet_degraded"); ok {
			fields := strings.Fields(rest)
			now.metric = fields[len(fields)-1]
		}
	}
	return now, nil
}

func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// together waits until every sidecar says that it shares with so many members, and fails
// the test if one does not in time. It returns how long that took.
func (g *rig) together(t *testing.T, members int, d time.Duration) time.Duration {
	t.Helper()
	var said string
	took, ok := within(g.ctx, d, func() bool {
		for i, s := range g.sidecars {
			now, err := s.state(g.ctx)
			if err != nil || now.Degraded || now.metric != "0" || len(now.Members) != members {
				said = fmt.Sprintf("sidecar %d: %v, %d members, outrigger_fleet_degraded %q: %s", i, err, len(now.Members), now.metric, now.text)
				return false
			}
		}
		return true
	})
	if !ok {
		t.Errorf("not all share with %d members after %v: %.600s", members, took.Round(time.Millisecond), said)
	}
	return took
}

// degraded waits until each of the sidecars says that it is on its own, and why; it fails
// the test if one does not in time. It returns what the first said.
func (g *rig) degraded(t *testing.T, d time.Duration) string {
	t.Helper()
	causes := make([]string, len(g.sidecars))
	var said string
	took, ok := within(g.ctx, d, func() bool {
		for i, s := range g.sidecars {
			if causes[i] != "" {
				continue
			}
			now, err := s.state(g.ctx)
			if err != nil || !now.Degraded || now.Cause == "" || now.metric != "1" {
				said = fmt.Sprintf("sidecar %d: %v, outrigger_fleet_degraded %q: %s", i, err, now.metric, now.text)
				return false
			}
			causes[i] = now.Cause
		}
		return true
	})
	if !ok {
		t.Errorf("not all say that they are on their own after %v: %.600s", took.Round(time.Millisecond), said)
		return ""
	}
	t.Logf("all say after %v that they are on their own: %q", took.Round(time.Millisecond), causes[0])
	return causes[0]
}

// warned reports whether the log of a sidecar has a warning or an error since so many bytes.
func (s *sidecar) warned(since int) bool {
	for line := range strings.Lines(s.Output()[since:]) {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
			return true
		}
	}
	return false
}
