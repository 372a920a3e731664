package proxy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// modelCodes are the errors of Outrigger's that a plan can bring about.
var modelCodes = []string{
	"upstream_ambiguous", "local_rate_limit", "upstream_unreachable", "upstream_broke", "circuit_open", "upstream_timeout",
}

func (r *modelRun) answered(i int) string {
	c, got := &r.Calls[i], &r.results[i]
	switch {
	case got.Err != nil && c.Leave > 0:
		return ""
	case got.Status == 0:
		return fmt.Sprintf("no answer: %v", got.Err)
	case got.Header.Get("X-Outrigger-Source") == "local":
		var e struct {
			Error struct{ Type, Code, Message string }
		}
		if err := json.Unmarshal([]byte(got.Body), &e); err != nil || e.Error.Type == "" || e.Error.Message == "" || !slices.Contains(modelCodes, e.Error.Code) {
			return fmt.Sprintf("not an error of the table: %v, %q", err, got.Body)
		}
		return ""
	}
	for _, a := range r.attempts[i] {
		status := max(a.Outcome.What.status(), 200*b2i(a.Outcome.What.status() == 0))
		switch {
		case status != got.Status || !a.Sent:
		case a.Body == got.Body && got.Err == nil && a.Outcome.What != modelCut:
			return ""
		case a.Outcome.What == modelCut && c.Kind == modelStream && got.Err != nil && strings.Contains(got.Body, `"error"`):
			return ""
		}
	}
	return "it is none of the upstream's"
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *modelRun) lossTold(i int) string {
	c, got := &r.Calls[i], &r.results[i]
	if c.Kind != modelCreate || c.Leave > 0 || got.Status < 400 || got.Header.Get("X-Outrigger-Source") != "local" {
		return ""
	}
	for _, a := range r.attempts[i] {
		if a.Done && !strings.Contains(got.Body, "upstream_ambiguous") {
			return "it was carried out"
		}
	}
	return ""
}

func (r *modelRun) attemptsTold(i int) string {
	got := &r.results[i]
	told, err := strconv.Atoi(got.Header.Get("X-Outrigger-Attempts"))
	if got.Status == 0 || err == nil && (told == len(r.attempts[i]) || told > len(r.attempts[i]) && len(r.Away) > 0) {
		return ""
	}
	return fmt.Sprintf("%q of %d", got.Header.Get("X-Outrigger-Attempts"), len(r.attempts[i]))
}

func (r *modelRun) retriesSuppressed(i int) string {
	c, got := &r.Calls[i], &r.results[i]
	failed := got.Status >= 500 || got.Status == 429 || got.Status == 424
	if !failed || c.Timeout > 0 || len(r.attempts[i]) == 0 || r.of(c).Allow {
		return ""
	}
	if should := got.Header.Get("X-Should-Retry"); should != "false" {
		return fmt.Sprintf("x-should-retry is %q", should)
	}
	return ""
}

func (r *modelRun) logged(i int) string {
	got := &r.results[i]
	id := got.Header.Get("X-Outrigger-Request-Id")
	if got.Status != 0 && r.lines[id] != 1 {
		return fmt.Sprintf("%d of %q", r.lines[id], id)
	}
	return ""
}
