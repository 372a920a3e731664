package preset_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"reflect"
	"testing"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/policy/limit"
	"outrigger/policy/preset"
)

// answer is one answer as a provider's documentation shows or describes it.
type answer struct {
	Provider, Case, Source, Path, Body, Outcome string

	Status  int
	Headers map[string]string
	WaitS   float64               `json:"wait_s"`
	Limits  map[string][3]float64 // by dimension: window in seconds, limit, remaining; -1 is not told
}

// answersNow is 30 s before the resets that the answers name.
var answersNow = time.UnixMilli(1770000000000)

func answers(t *testing.T) []answer {
	t.Helper()
	data, err := os.ReadFile("testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []answer
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func (a answer) header() http.Header {
	h := http.Header{}
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	return h
}

func TestEachProvidersAnswersAreUnderstood(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.Provider+"/"+a.Case, func(t *testing.T) {
			v := classify.Classify(classify.Attempt{
				Status: a.Status, Header: a.header(), Body: []byte(a.Body), Progress: classify.Answered,
				Effect: endpoint.Of(http.MethodPost, a.Path, endpoint.Facts{}).Effect, Now: answersNow,
			})
			if v.Outcome.String() != a.Outcome {
				t.Errorf("rule %s: got %v, want %s", v.Rule, v.Outcome, a.Outcome)
			}
			if got := v.Wait.Seconds(); math.Abs(got-a.WaitS) > 0.002 {
				t.Errorf("rule %s: got a wait of %v s, want %v s", v.Rule, got, a.WaitS)
			}
		})
	}
}

func TestEachProvidersRateLimitHeadersAreRead(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.Provider+"/"+a.Case, func(t *testing.T) {
			h := limit.ParseHeaders(a.header(), answersNow)
			got := map[string][3]float64{}
			for _, r := range h.Readings {
				got[r.Dimension] = [3]float64{r.Window.Seconds(), r.Limit, r.Remaining}
			}
			want := a.Limits
			if want == nil {
				want = map[string][3]float64{}
			}
			if !reflect.DeepEqual(got, want) || h.Ignored != 0 {
				t.Errorf("got %v and %d ignored, want %v", got, h.Ignored, want)
			}
		})
	}
}

// TestEveryPresetHasItsAnswers keeps the answers and the table of providers together.
func TestEveryPresetHasItsAnswers(t *testing.T) {
	counts := map[string]int{}
	for _, a := range answers(t) {
		counts[a.Provider]++
		if a.Source == "" {
			t.Errorf("%s/%s has no source", a.Provider, a.Case)
		}
	}
	want := append(preset.Names(), "local")
	for _, name := range want {
		if counts[name] < 3 {
			t.Errorf("%s has %d answers, want a success and at least two failures", name, counts[name])
		}
	}
	if len(counts) != len(want) {
		t.Errorf("answers of %v, presets %v", counts, want)
	}
}
