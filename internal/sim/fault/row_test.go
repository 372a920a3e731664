package fault

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTheCatalogueIsComplete(t *testing.T) {
	rows := Rows()
	if len(rows) < 156 {
		t.Fatalf("%d rows, want at least 156", len(rows))
	}
	if !slices.IsSortedFunc(rows, func(a, b Row) int { return strings.Compare(a.ID(), b.ID()) }) {
		t.Error("rows are not sorted")
	}
	lines := strings.Count(strings.TrimSpace(string(errorsJSONL)), "\n") + 1
	if lines != len(rows) {
		t.Errorf("%d lines and %d rows: two have one ID", lines, len(rows))
	}
	for _, r := range rows {
		found, err := FindRow(r.ID())
		if err != nil || found.Body != r.Body || found.Status != r.Status {
			t.Errorf("FindRow(%q) = %+v, %v", r.ID(), found, err)
		}
		if r.Stream() && r.Status != 200 {
			t.Errorf("%s is part of a stream with status %d", r.ID(), r.Status)
		}
		if strings.HasPrefix(r.Phase, "stream") != r.Stream() {
			t.Errorf("%s has phase %q and content type %q", r.ID(), r.Phase, r.Headers["content-type"])
		}
	}
}

func TestTheRowsThatPromptsAreMadeOfAreThere(t *testing.T) {
	for _, id := range []string{"openai/503_server_is_overloaded", "openai/429_credit_balance_exhausted", "openrouter/stream_comment"} {
		if _, err := FindRow(id); err != nil {
			t.Error(err)
		}
	}
	comment, _ := FindRow("openrouter/stream_comment")
	if !comment.Harmless() || !comment.Stream() {
		t.Errorf("%+v should be a harmless part of a stream", comment)
	}
}

func TestBadRowsAreErrors(t *testing.T) {
	tests := map[string]string{
		"not JSON":     "{",
		"no name":      `{"provider":"p","status":500}`,
		"no provider":  `{"name":"n","status":500}`,
		"no status":    `{"provider":"p","name":"n"}`,
		"wrong status": `{"provider":"p","name":"n","status":100}`,
	}
	for name, line := range tests {
		if _, err := ReadRows(strings.NewReader("\n" + line + "\n")); !errors.Is(err, ErrRow) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: error %v, want ErrRow about line 2", name, err)
		}
	}
	if _, err := FindRow("nobody/nothing"); !errors.Is(err, ErrRow) {
		t.Errorf("error %v, want ErrRow", err)
	}
}
