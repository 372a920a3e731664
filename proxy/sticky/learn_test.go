package sticky

import (
	"fmt"
	"strings"
	"testing"
)

// knows reports whether an id has a home in m.
func knows(m *Map, id string) bool {
	r := m.Request()
	_, _ = fmt.Fprintf(r, `{"x":[{"id":%q}]}`, id)
	_, bound := r.Home("embeddings", "POST", "/v1/embeddings")
	return bound
}

func TestIDsAreLearnedFromAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		endpoint, answer string
		learned, not     []string
	}{
		"a file": {"files", `{"object":"file","id":"file-abc123","bytes":120,"filename":"a.jsonl","purpose":"batch"}`, []string{"file-abc123"}, []string{"a.jsonl"}},
		"a batch with its files": {
			"batches", `{"id":"batch_abc123","input_file_id":"file-in1","output_file_id":"file-out1","error_file_id":null,"metadata":{"other_id":"file-else"}}`,
			[]string{"batch_abc123", "file-in1", "file-out1"},
			[]string{"file-else"},
		},
		"a fine-tuning job":   {"fine_tuning.jobs", `{"id":"ftjob-1","result_files":["file-r1","file-r2"],"organization_id":"org-123","training_file":"file-t1"}`, []string{"ftjob-1", "file-r1", "file-r2", "file-t1"}, []string{"org-123"}},
		"an upload's file":    {"uploads.complete", `{"id":"upload_1","file":{"id":"file-xyz321"}}`, []string{"upload_1", "file-xyz321"}, nil},
		"a run and a thread":  {"threads.runs", `{"id":"run_123","thread_id":"thread_1","assistant_id":"asst_1"}`, []string{"run_123", "thread_1", "asst_1"}, nil},
		"a list":              {"vector_stores.files", `{"object":"list","data":[{"id":"file-a1"},{"id":"file-b1"}],"first_id":"file-a1","last_id":"file-b1"}`, []string{"file-a1", "file-b1"}, nil},
		"a response":          {"responses", `{"id":"resp_1","output":[{"type":"message","id":"msg_11","content":[]},{"type":"function_call","id":"fc_111","call_id":"call_1"}],"conversation":{"id":"conv_1"}}`, []string{"resp_1", "msg_11", "fc_111", "conv_1"}, []string{"call_1"}},
		"a response's stream": {"responses", "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_2\"}}\n\nevent: x\ndata: {\"item_id\":\"msg_21\",\"item\":{\"id\":\"msg_22\"}}\n\n", []string{"resp_2", "msg_22"}, []string{"msg_21"}},
		"a kept completion":   {"chat.completions", `{"id":"chatcmpl-1"}`, []string{"chatcmpl-1"}, nil},
		"a file's content":    {"files.content", `{"id":"file-abc123"}`, nil, []string{"file-abc123"}},
		"a batch's results":   {"messages.batches.results", `{"id":"msg_123"}`, nil, []string{"msg_123"}},
		"nothing kept":        {"embeddings", `{"id":"embd-123"}`, nil, []string{"embd-123"}},
		"what is no id":       {"files", `{"id":"a b c d e","x_id":"short","y_id":""}`, nil, []string{"short"}},
		"people and keys":     {"organization", `{"id":"user-abc"}`, nil, []string{"user-abc"}},
	} {
		for size := 1; size <= len(tt.answer); size += 7 {
			m := New(100)
			if l := m.Learner(tt.endpoint, "POST", true, nil, 1); l != nil {
				for rest := tt.answer; rest != ""; rest = rest[min(size, len(rest)):] {
					_, _ = l.Write([]byte(rest[:min(size, len(rest))]))
				}
			}
			for _, id := range tt.learned {
				if !knows(m, id) {
					t.Errorf("%s in pieces of %d: %s is not known", name, size, id)
				}
			}
			for _, id := range tt.not {
				if knows(m, id) {
					t.Errorf("%s in pieces of %d: %s is known", name, size, id)
				}
			}
		}
	}
}

func TestWhatIsNotKeptIsNotLearned(t *testing.T) {
	m := New(10)
	forbids := m.Request()
	_, _ = forbids.Write([]byte(`{"input":"hi","store":false}`))
	for name, l := range map[string]*Learner{
		"a completion that is not kept": m.Learner("chat.completions", "POST", false, m.Request(), 1),
		"what is deleted":               m.Learner("files", "DELETE", false, nil, 1),
		"moderation":                    m.Learner("moderations", "POST", false, nil, 1),
		"a grader's run":                m.Learner("fine_tuning.alpha.graders.run", "POST", false, nil, 1),
	} {
		if l != nil {
			t.Errorf("%s is learned from", name)
		}
	}
	unkept := m.Learner("responses", "POST", false, forbids, 1) // for what it encrypts alone
	_, _ = unkept.Write([]byte(`{"id":"resp_1","output":[{"id":"rs_1"}],"conversation":{"id":"conv_1"}}`))
	if m.Len() != 0 {
		t.Error("the ids of a response with store: false are learned")
	}
	allows := m.Request()
	_, _ = allows.Write([]byte(`{"tools":[{"store":false}],"store":true}`))
	if m.Learner("responses", "POST", false, allows, 1) == nil || m.Learner("chat.completions", "GET", false, nil, 1) == nil {
		t.Error("what is kept is not learned from")
	}
}

func TestACallIsKnownByTheLocationOfItsAnswer(t *testing.T) {
	m := New(10)
	m.Located("realtime.calls", "POST", "/v1/realtime/calls/rtc_u1_123", 1)
	m.Located("realtime.calls", "POST", "/v1/realtime/calls/", 1)
	m.Located("embeddings", "POST", "/v1/embeddings/embd_123", 1)
	if home, bound := m.Request().Home("realtime.calls.hangup", "POST", "/v1/realtime/calls/rtc_u1_123/hangup"); home != 1 || !bound || m.Len() != 1 {
		t.Errorf("got %d, %v; %d ids", home, bound, m.Len())
	}
}

func TestALongAnswerDoesNotDriveOutAllOthers(t *testing.T) {
	m := New(10 * most)
	var body strings.Builder
	for i := range 5 * most {
		fmt.Fprintf(&body, `{"id":"file-%d"}`, i)
	}
	tell(m, 1, "files", body.String())
	if m.Len() != most {
		t.Errorf("%d ids are known, want %d", m.Len(), most)
	}
}
