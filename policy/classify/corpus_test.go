package classify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"outrigger/policy/endpoint"
)

// corpusNow lies before every date that the corpus names, save the ones that are long past.
var corpusNow = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)

// corpusRow is one real answer with the labels that people gave it.
type corpusRow struct {
	Provider, Name, Body, Scope, Action, Phase, Evidence string

	Status  int
	Headers map[string]string
	Retry   bool
	HintS   *float64 `json:"hint_s"`
}

func corpus(t testing.TB) []corpusRow {
	t.Helper()
	data, err := os.ReadFile("testdata/errors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var rows []corpusRow
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row corpusRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if len(rows) < 150 {
		t.Fatalf("the corpus has only %d rows", len(rows))
	}
	return rows
}

// attempt makes a compute attempt of a row.
func (row corpusRow) attempt() Attempt {
	h := http.Header{}
	for k, v := range row.Headers {
		h.Set(k, v)
	}
	a := Attempt{
		Status: row.Status, Header: h, Body: []byte(row.Body),
		Progress: Answered, Effect: endpoint.Compute, Now: corpusNow,
	}
	if strings.HasPrefix(row.Phase, "stream") {
		a.Stream = true
		a.Event, a.Body = firstEvent(row.Body)
	}
	return a
}

// firstEvent returns the name and the data of the first event that is no comment.
func firstEvent(stream string) (string, []byte) {
	event, data := "", ""
	for line := range strings.Lines(stream) {
		line = strings.TrimRight(line, "\r\n")
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			event = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			data = v
		}
		if line == "" && data != "" {
			break
		}
	}
	return event, []byte(data)
}

func TestTheCorpusIsJudgedAsLabelled(t *testing.T) {
	for _, row := range corpus(t) {
		if row.Phase == "stream_mid" {
			continue // nothing is repeated once a part was passed on, so Classify is not asked
		}
		t.Run(row.Provider+"/"+row.Name, func(t *testing.T) {
			v := Classify(row.attempt())
			if got := v.Repeat != Never; got != row.Retry {
				t.Errorf("rule %s repeats: got %v, want %v", v.Rule, v.Repeat, row.Retry)
			}
			if v.Scope.String() != row.Scope {
				t.Errorf("rule %s scope: got %v, want %v", v.Rule, v.Scope, row.Scope)
			}
			want := 0.0
			if row.HintS != nil {
				want = *row.HintS
			}
			if row.Name == "429_http_date" {
				want = time.Date(2026, 10, 21, 7, 28, 0, 0, time.UTC).Sub(corpusNow).Seconds()
			}
			if got := v.Wait.Seconds(); math.Abs(got-want) > 0.002 {
				t.Errorf("rule %s hint: got %v, want %v", v.Rule, got, want)
			}
		})
	}
}
