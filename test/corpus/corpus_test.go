package corpus

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func all(t *testing.T) []Transcript {
	t.Helper()
	list, err := Transcripts()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryFileIsInTheManifestWithItsSource(t *testing.T) {
	list := all(t)
	const others = 5 // the manifest and the rows of single answers
	entries, err := files.ReadDir("testdata")
	if err != nil || len(entries) != 2*len(list)+others {
		t.Errorf("%d files for %d transcripts, %v", len(entries), len(list), err)
	}
	seen := map[string]bool{}
	for _, tr := range list {
		if seen[tr.Name] || tr.Source == "" || tr.Path == "" || tr.Dialect == "" {
			t.Errorf("%s is there twice or lacks its source, path or dialect", tr.Name)
		}
		seen[tr.Name] = true
	}
}

func TestTheManifestNumbersEventsThatAreThere(t *testing.T) {
	for _, tr := range all(t) {
		ends := tr.Ends()
		n := len(ends) - 1
		if ends[n] != len(tr.Stream) || tr.First < 1 || tr.First > tr.Whole || tr.Whole > n || tr.Last > n || tr.Last > 0 && tr.Last < tr.Whole {
			t.Errorf("%s has %d events, first %d, whole at %d, last %d", tr.Name, n, tr.First, tr.Whole, tr.Last)
		}
		if isError := tr.Status >= 400 && tr.Status < 600; !isError {
			t.Errorf("%s: an error that stands for %d", tr.Name, tr.Status)
		}
	}
}

// Data that is no JSON, or a raw CR, would make the variants something else than they say.
func TestTheFilesAreEventsOfJSON(t *testing.T) {
	for _, tr := range all(t) {
		for name, stream := range map[string][]byte{"stream": tr.Stream, "error": tr.Error} {
			if bytes.ContainsRune(stream, '\r') || !bytes.HasSuffix(stream, []byte("\n\n")) {
				t.Errorf("%s, %s: a CR, or no blank line at the end", tr.Name, name)
			}
			for line := range strings.Lines(string(stream)) {
				data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
				if ok && data != "[DONE]" && !json.Valid([]byte(data)) {
					t.Errorf("%s, %s: not JSON: %s", tr.Name, name, data)
				}
			}
		}
		if !json.Valid([]byte(tr.Request())) {
			t.Errorf("%s: the request is no JSON", tr.Name)
		}
	}
}
