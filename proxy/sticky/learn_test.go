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
			[]string{"batch_abc123", "file-out1"},
			[]string{"file-else", "file-in1"},
		},
		"a fine-tuning job":  {"fine_tuning.jobs", `{"id":"ftjob-1","result_files":["file-r1","file-r2"],"organization_id":"org-123","training_file":"file-t1"}`, []string{"ftjob-1", "file-r1", "file-r2"}, []string{"org-123", "file-t1"}},
		"an upload's file":   {"uploads.complete", `{"id":"upload_1","file":{"id":"file-xyz321"}}`, []string{"upload_1", "file-xyz321"}, nil},
		"a run and a thread": {"threads.runs", `{"id":"run_123","thread_id":"thread_1","assistant_id":"asst_1"}`, []string{"run_123", "thread_1"}, []string{"asst_1"}},
		"a list":             {"vector_stores.files", `{"object":"list","data":[{"id":"file-a1"},{"id":"file-b1"}],"first_id":"file-a1","last_id":"file-b1"}`, nil, []string{"file-a1", "file-b1"}},
		"a list of files":    {"files", `{"object":"list","data":[{"id":"file-a1","status_details":{"id":"file-x1"}},{"id":"file-b1"}],"first_id":"file-c1"}`, []string{"file-a1", "file-b1"}, []string{"file-x1", "file-c1"}},
		"a bare list":        {"files", `[{"id":"file-a1"},{"id":"file-b1"}]`, nil, []string{"file-a1", "file-b1"}},
		"a response": {
			"responses",
			`{"previous_response_id":"resp_0","id":"resp_1","input":[{"id":"msg_in"}],"instructions":[{"id":"msg_instr"}],"output":[{"type":"message","id":"msg_11","content":[{"annotations":[{"file_id":"file-cited"}]}]},{"type":"code_interpreter_call","id":"ci_111","container_id":"cntr_1","call_id":"call_1"}],"conversation":{"id":"conv_1"},"tools":[{"vector_store_ids":["vs_1234"],"id":"tool_1"}],"user_id":"victim"}`,
			[]string{"resp_1", "msg_11", "ci_111", "cntr_1"},
			[]string{"call_1", "resp_0", "msg_in", "msg_instr", "conv_1", "vs_1234", "tool_1", "file-cited"},
		},
		"a response's stream": {
			"responses",
			"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_2\",\"previous_response_id\":\"resp_0\",\"instructions\":[{\"id\":\"msg_instr\"}]}}\n\nevent: x\ndata: {\"item_id\":\"msg_21\",\"item\":{\"id\":\"msg_22\"}}\n\n",
			[]string{"resp_2", "msg_22"},
			[]string{"msg_21", "resp_0", "msg_instr"},
		},
		"the items of a request": {"responses.input_items", `{"object":"list","data":[{"id":"msg_victim","content":[{"file_id":"file-victim"}]}]}`, nil, []string{"msg_victim", "file-victim"}},
		"a file that is echoed":  {"vector_stores.search", `{"search_query":"x","data":[{"file_id":"file-victim","id":"file-victim"}]}`, nil, []string{"file-victim"}},
		"another's object in it": {"files", `{"id":"file-own1","response":{"id":"resp_victim"},"item":{"id":"msg_victim"},"output":[{"id":"msg_out1"}],"file":{"id":"file-victim"}}`, []string{"file-own1"}, []string{"resp_victim", "msg_victim", "msg_out1", "file-victim"}},
		"a kept completion":      {"chat.completions", `{"id":"chatcmpl-1"}`, []string{"chatcmpl-1"}, nil},
		"a file's content":       {"files.content", `{"id":"file-abc123"}`, nil, []string{"file-abc123"}},
		"a batch's results":      {"messages.batches.results", `{"id":"msg_123"}`, nil, []string{"msg_123"}},
		"nothing kept":           {"embeddings", `{"id":"embd-123"}`, nil, []string{"embd-123"}},
		"what is no id":          {"files", `{"id":"a b c d e","x_id":"short","y_id":""}`, nil, []string{"short"}},
		"people and keys":        {"organization", `{"id":"user-abc"}`, nil, []string{"user-abc"}},
	} {
		for size := 1; size <= len(tt.answer); size += 7 {
			m := New(100*entryBytes + shareBytes)
			if l := m.Learner(Owner{}, tt.endpoint, "POST", true, nil, 1); l != nil {
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
	m := New(10*entryBytes + shareBytes)
	forbids := m.Request()
	_, _ = forbids.Write([]byte(`{"input":"hi","store":false}`))
	for name, l := range map[string]*Learner{
		"a completion that is not kept": m.Learner(Owner{}, "chat.completions", "POST", false, m.Request(), 1),
		"what is deleted":               m.Learner(Owner{}, "files", "DELETE", false, nil, 1),
		"moderation":                    m.Learner(Owner{}, "moderations", "POST", false, nil, 1),
		"a grader's run":                m.Learner(Owner{}, "fine_tuning.alpha.graders.run", "POST", false, nil, 1),
	} {
		if l != nil {
			t.Errorf("%s is learned from", name)
		}
	}
	unkept := m.Learner(Owner{}, "responses", "POST", false, forbids, 1) // for what it encrypts alone
	_, _ = unkept.Write([]byte(`{"id":"resp_1","output":[{"id":"rs_1"}],"conversation":{"id":"conv_1"}}`))
	if m.Len() != 0 {
		t.Error("the ids of a response with store: false are learned")
	}
	allows := m.Request()
	_, _ = allows.Write([]byte(`{"tools":[{"store":false}],"store":true}`))
	if m.Learner(Owner{}, "responses", "POST", false, allows, 1) == nil || m.Learner(Owner{}, "chat.completions", "GET", false, nil, 1) == nil {
		t.Error("what is kept is not learned from")
	}
}

func TestACallIsKnownByTheLocationOfItsAnswer(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	m.Located(Owner{}, "realtime.calls", "POST", "/v1/realtime/calls/rtc_u1_123", 1)
	m.Located(Owner{}, "realtime.calls", "POST", "/v1/realtime/calls/", 1)
	m.Located(Owner{}, "embeddings", "POST", "/v1/embeddings/embd_123", 1)
	if home, bound := m.Request().Home("realtime.calls.hangup", "POST", "/v1/realtime/calls/rtc_u1_123/hangup"); home != 1 || !bound || m.Len() != 1 {
		t.Errorf("got %d, %v; %d ids", home, bound, m.Len())
	}
}

func TestALongAnswerDoesNotDriveOutAllOthers(t *testing.T) {
	m := New(11 * most * entryBytes)
	var body strings.Builder
	for i := range 5 * most {
		fmt.Fprintf(&body, `{"id":"file-%d"}`, i)
	}
	tell(m, 1, "files", body.String())
	if m.Len() != most {
		t.Errorf("%d ids are known, want %d", m.Len(), most)
	}
}
