package eventstream

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"outrigger/policy/endpoint"
)

// Google's clients look for an error on a line of its own between the events: as JSON,
// without a field's name.
func TestACutAnywhereInGooglesStreamBecomesItsError(t *testing.T) {
	for name, tc := range golden {
		if tc.dialect != endpoint.Gemini {
			continue
		}
		t.Run(name, func(t *testing.T) {
			stream := transcript(t, name)
			for cut := range stream {
				before, _ := readEvents(stream[:cut])
				w := watch(tc.dialect, stream[:cut])
				out := slices.Concat(stream[:cut], w.End(), w.Interruption(code, message))
				lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n\n")), []byte("\n"))
				var told struct{ Error status }
				err := json.Unmarshal(lines[len(lines)-1], &told)
				if err != nil || told.Error.Code != 502 || told.Error.Message != message || told.Error.Details[0].Reason != code || !utf8.Valid(out) {
					t.Fatalf("cut at %d: %v: %q", cut, err, out[max(0, cut-40):])
				}
				events, _ := readEvents(out)
				for _, e := range events[len(before):] {
					if len(e.Data) > 0 && string(e.Data) != "[" && !json.Valid(e.Data) {
						t.Fatalf("cut at %d: a half event became %q", cut, e.Data)
					}
				}
			}
		})
	}
}
