package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Answer is one error answer of a provider and the judgement that the provider's
// documentation, or the report, asks for. People gave the labels.
type Answer struct {
	Provider string            `json:"provider"`
	Name     string            `json:"name"` // with Provider the row's id
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"` // those that matter
	Body     string            `json:"body"`
	Retry    bool              `json:"retry"` // whether the same request may be sent again
	Scope    string            `json:"scope"` // classify.Scope's name
	// ScopeAlso are scopes as good as Scope where the page tells it and the answer itself
	// does not: of "Too many tokens" nobody can say whose, who does not know the provider.
	ScopeAlso []string `json:"scope_also"`
	Action    string   `json:"action"`  // what to do about it, see actions in the test
	Outcome   string   `json:"outcome"` // classify.Outcome's name
	Phase     string   `json:"phase"`   // "pre", or where in a 200 the error stands: "body_200", "stream_first"
	HintS     *float64 `json:"hint_s"`  // the seconds that the answer asks to wait, null for none
	Evidence  string   `json:"evidence"`
}

// Answers returns the rows of one half, "a" or "b", or of a later set's halves, "c" or "d". A
// fair coin put each row into its half. Rules may be written after the rows of a and c; b and d are
// for measuring them, and say nothing more once a rule was written after one of theirs. The later
// set was collected and labelled when the first rules stood, without a look at them.
func Answers(half string) ([]Answer, error) {
	data, err := files.ReadFile("testdata/rows_" + half + ".jsonl")
	if err != nil {
		return nil, err
	}
	var all []Answer
	for line := range bytes.Lines(data) {
		var a Answer
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&a); err != nil {
			return nil, fmt.Errorf("rows_%s.jsonl, row %d: %w", half, len(all)+1, err)
		}
		all = append(all, a)
	}
	return all, nil
}
