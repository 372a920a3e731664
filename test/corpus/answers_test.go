package corpus

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"outrigger/policy/classify"
)

// actions are the words for what to do, and whether the same request goes out again.
var actions = map[string]bool{
	"pause": true, "retry": true, "retry_once": true, "await": true,
	"no_retry": false, "fail_credential": false, "fail_model": false, "fail_upstream": false,
}

// secrets are the forms of real keys. What a provider masked itself may stay.
var secrets = regexp.MustCompile(`sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{16,}|gsk_[A-Za-z0-9]{16,}|org_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{16,}`)

func halves(t *testing.T) map[string][]Answer {
	t.Helper()
	rows := map[string][]Answer{}
	for _, half := range []string{"a", "b", "c", "d"} {
		list, err := Answers(half)
		if err != nil {
			t.Fatal(err)
		}
		rows[half] = list
	}
	return rows
}

// older returns the ids of the rows that classify's own test holds.
func older(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("../../policy/classify/testdata/errors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row Answer
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		ids[row.Provider+"/"+row.Name] = true
	}
	return ids
}

func TestTheRowsAreManyAndHalved(t *testing.T) {
	rows := halves(t)
	a, b := len(rows["a"]), len(rows["b"])
	if all := len(older(t)) + a + b; all < 400 {
		t.Errorf("only %d rows", all)
	}
	if min(a, b)*10 < 4*(a+b) {
		t.Errorf("the halves have %d and %d rows", a, b)
	}
}

// The same answer in two of the sets would measure nothing.
func TestEveryRowHasItsOwnIDAndAnswer(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	ids, answers := older(t), map[answer]string{}
	for half, list := range halves(t) {
		for _, row := range list {
			id, key := row.Provider+"/"+row.Name, answer{row.Status, row.Body}
			if ids[id] || answers[key] != "" {
				t.Errorf("%s, half %s: the id is there twice, or the answer is that of %q", id, half, answers[key])
			}
			ids[id], answers[key] = true, id
		}
	}
}

func TestEveryRowIsWellFormed(t *testing.T) {
	var outcomes, scopes []string
	for o := classify.OutcomeOK; o <= classify.OutcomeLoading; o++ {
		outcomes = append(outcomes, o.String())
	}
	for s := classify.Request; s <= classify.Upstream; s++ {
		scopes = append(scopes, s.String())
	}
	for half, list := range halves(t) {
		for _, row := range list {
			t.Run(half+"/"+row.Provider+"/"+row.Name, func(t *testing.T) {
				if row.Provider == "" || row.Name == "" || !strings.ContainsAny(row.Evidence, "./#") {
					t.Error("the row lacks its provider, name or source")
				}
				if retry, ok := actions[row.Action]; !ok || retry != row.Retry {
					t.Errorf("action %q with retry %v", row.Action, row.Retry)
				}
				if !slices.Contains(outcomes, row.Outcome) || !slices.Contains(scopes, row.Scope) {
					t.Errorf("outcome %q, scope %q", row.Outcome, row.Scope)
				}
				for _, also := range row.ScopeAlso {
					if also == row.Scope || !slices.Contains(scopes, also) {
						t.Errorf("also scope %q beside %q", also, row.Scope)
					}
				}
				if row.HintS != nil && *row.HintS <= 0 {
					t.Errorf("hint %v", *row.HintS)
				}
				if found := secrets.FindString(row.Body); found != "" {
					t.Errorf("looks like a real key: %s", found)
				}
				checkPhase(t, row)
				checkBody(t, row)
			})
		}
	}
}

// checkPhase looks whether the status fits where the error stands.
func checkPhase(t *testing.T, row Answer) {
	t.Helper()
	ok := map[string]bool{"pre": row.Status >= 400 && row.Status < 600, "body_200": row.Status == 200, "stream_first": row.Status == 200}
	if !ok[row.Phase] {
		t.Errorf("phase %q with status %d", row.Phase, row.Status)
	}
}

// checkBody looks whether the body is what Content-Type says.
func checkBody(t *testing.T, row Answer) {
	t.Helper()
	body := row.Body
	switch kind := row.Headers["content-type"]; {
	case strings.HasPrefix(kind, "text/event-stream"):
		_, data, _ := strings.Cut(body, "data: ")
		var ok bool
		if body, _, ok = strings.Cut(data, "\n\n"); !ok {
			t.Fatal("no whole event")
		}
		fallthrough
	case strings.HasPrefix(kind, "application/json"):
		if !json.Valid([]byte(body)) {
			t.Errorf("not JSON: %s", body)
		}
	case !strings.HasPrefix(kind, "text/") || body == "":
		t.Errorf("content-type %q, %d bytes", kind, len(body))
	}
}
