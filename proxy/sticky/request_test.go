package sticky

import (
	"testing"
)

func TestARequestGoesWhereItsObjectsLive(t *testing.T) {
	m := New(100*entryBytes + shareBytes)
	tell(m, 1, "files", `{"id":"file-one"}`)
	tell(m, 1, "files", `{"id":"file-uno"}`)
	tell(m, 2, "files", `{"id":"file-two"}`)
	tell(m, 1, "batches", `{"id":"batch_one"}`)
	tell(m, 1, "threads", `{"id":"thread_one"}`)
	tell(m, 1, "vector_stores", `{"id":"vs_one"}`)
	tell(m, 1, "conversations", `{"id":"conv_one"}`)
	tell(m, 1, "assistants", `{"id":"asst_one"}`)
	tell(m, 1, "containers", `{"id":"cntr_one"}`)
	tell(m, 1, "responses", `{"id":"resp_one","output":[{"id":"msg_one"}]}`)
	tell(m, 1, "chat.completions", `{"id":"chatcmpl-one"}`)
	const anywhere = -1
	tests := map[string]struct {
		method, endpoint, path, body string
		want                         int
	}{
		"a file":                          {"GET", "files", "/v1/files/file-one", "", 1},
		"its end":                         {"DELETE", "files", "/v1/files/file-one", "", 1},
		"its content":                     {"GET", "files.content", "/v1/files/file-two/content", "", 2},
		"below another base":              {"GET", "files", "/openai/v1/files/file-two", "", 2},
		"a file that nobody knows":        {"GET", "files", "/v1/files/file-none", "", 0},
		"one that is not to be deleted":   {"DELETE", "files", "/v1/files/file-none", "", 0},
		"a list":                          {"GET", "files", "/v1/files", "", 0},
		"a slash":                         {"GET", "files", "/v1/files/", "", 0},
		"a new file":                      {"POST", "files", "/v1/files", "", anywhere},
		"a batch of a file":               {"POST", "batches", "/v1/batches", `{"input_file_id":"file-one","endpoint":"/v1/chat/completions"}`, 1},
		"a batch of an unknown file":      {"POST", "batches", "/v1/batches", `{"input_file_id":"file-none"}`, 0},
		"a batch's end":                   {"POST", "batches.cancel", "/v1/batches/batch_one/cancel", "", 1},
		"a fine-tuning job":               {"POST", "fine_tuning.jobs", "/v1/fine_tuning/jobs", `{"training_file":"file-one","model":"m"}`, 1},
		"one with an unknown file":        {"POST", "fine_tuning.jobs", "/v1/fine_tuning/jobs", `{"training_file":"file-none"}`, 0},
		"a store of files":                {"POST", "vector_stores", "/v1/vector_stores", `{"name":"n","file_ids":["file-one","file-uno"]}`, 1},
		"a new store":                     {"POST", "vector_stores", "/v1/vector_stores", `{"name":"n"}`, anywhere},
		"a search":                        {"POST", "vector_stores.search", "/v1/vector_stores/vs_one/search", `{"query":"file-two"}`, 1},
		"a file in a store":               {"POST", "vector_stores.files", "/v1/vector_stores/vs_one/files", `{"file_id":"file-one"}`, 1},
		"the path goes first":             {"POST", "vector_stores.files", "/v1/vector_stores/vs_one/files", `{"file_id":"file-two"}`, 1},
		"the second id of a path":         {"GET", "vector_stores.files", "/v1/vector_stores/vs_none/files/file-two", "", 2},
		"a message":                       {"POST", "threads.messages", "/v1/threads/thread_one/messages", `{"role":"user"}`, 1},
		"a run":                           {"POST", "threads.runs", "/v1/threads/thread_one/runs", `{"assistant_id":"asst_one"}`, 1},
		"a run that makes its thread":     {"POST", "threads.runs", "/v1/threads/runs", `{"assistant_id":"asst_one"}`, 1},
		"a thread of files":               {"POST", "threads", "/v1/threads", `{"messages":[{"attachments":[{"file_id":"file-one"}]}]}`, 1},
		"a response":                      {"GET", "responses", "/v1/responses/resp_one", "", 1},
		"its end, early":                  {"POST", "responses.cancel", "/v1/responses/resp_one/cancel", "", 1},
		"a turn":                          {"POST", "responses", "/v1/responses", `{"model":"m","previous_response_id":"resp_one","input":"hi"}`, 1},
		"a turn after an unknown one":     {"POST", "responses", "/v1/responses", `{"previous_response_id":"resp_none"}`, 0},
		"a first turn":                    {"POST", "responses", "/v1/responses", `{"model":"m","input":"hi","previous_response_id":null}`, anywhere},
		"an empty reference":              {"POST", "responses", "/v1/responses", `{"previous_response_id":"","input":"hi"}`, anywhere},
		"a conversation":                  {"POST", "responses", "/v1/responses", `{"conversation":"conv_one"}`, 1},
		"a conversation, as an object":    {"POST", "responses", "/v1/responses", `{"conversation":{"id":"conv_one"}}`, 1},
		"an unknown conversation":         {"POST", "responses", "/v1/responses", `{"conversation":{"id":"conv_none"}}`, 0},
		"an item of an earlier turn":      {"POST", "responses", "/v1/responses", `{"input":[{"type":"item_reference","id":"msg_one"}]}`, 1},
		"an item that nobody knows":       {"POST", "responses", "/v1/responses", `{"input":[{"type":"message","id":"msg_none","content":"hi"}]}`, anywhere},
		"an input file":                   {"POST", "responses", "/v1/responses", `{"input":[{"content":[{"type":"input_file","file_id":"file-two"}]}]}`, 2},
		"a tool's stores":                 {"POST", "responses", "/v1/responses", `{"tools":[{"type":"file_search","vector_store_ids":["vs_one"]}]}`, 1},
		"a tool's container":              {"POST", "responses", "/v1/responses", `{"tools":[{"type":"code_interpreter","container":"cntr_one"}]}`, 1},
		"what the user noted":             {"POST", "responses", "/v1/responses", `{"input":"hi","metadata":{"file_id":"file-one","thread_id":"t"}}`, anywhere},
		"what the user said":              {"POST", "responses", "/v1/responses", `{"input":"{\"previous_response_id\":\"resp_one\"}"}`, anywhere},
		"a socket for responses":          {"GET", "responses", "/v1/responses", "", anywhere},
		"a completion":                    {"POST", "chat.completions", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"file-one"}]}`, anywhere},
		"a completion with a file":        {"POST", "chat.completions", "/v1/chat/completions", `{"messages":[{"content":[{"type":"file","file":{"file_id":"file-two"}}]}]}`, 2},
		"a completion with other members": {"POST", "chat.completions", "/v1/chat/completions", `{"thread_id":"mine","conversation":"c"}`, anywhere},
		"a kept completion":               {"GET", "chat.completions", "/v1/chat/completions/chatcmpl-one", "", 1},
		"a tool's input":                  {"POST", "messages", "/v1/messages", `{"messages":[{"content":[{"type":"tool_use","input":{"file_id":"file-none"}}]}]}`, anywhere},
		"models":                          {"GET", "models", "/v1/models", "", anywhere},
		"a path that nobody knows":        {"POST", "other", "/v1/new/file-one", "", anywhere},
		"the first of two":                {"POST", "responses", "/v1/responses", `{"input":[{"file_id":"file-two"},{"file_id":"file-one"}]}`, 2},
		"people and keys":                 {"GET", "organization", "/v1/organization/users", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for size := 1; size <= len(tt.body)+1; size += 5 {
				r := m.Request()
				for rest := tt.body; rest != ""; rest = rest[min(size, len(rest)):] {
					_, _ = r.Write([]byte(rest[:min(size, len(rest))]))
				}
				got, bound := r.Home(tt.endpoint, tt.method, tt.path)
				if !bound {
					got = anywhere
				}
				if got != tt.want {
					t.Errorf("in pieces of %d: got %d, want %d", size, got, tt.want)
				}
			}
		})
	}
}

func TestALongPathIsNotLookedUpForLong(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	tell(m, 1, "files", `{"id":"file-one"}`)
	for path, want := range map[string]int{"/v1/files/a/b/c/file-one": 1, "/v1/files/a/b/c/d/file-one": 0} {
		if home, bound := m.Request().Home("files", "GET", path); home != want || !bound {
			t.Errorf("%s: got %d, %v, want %d", path, home, bound, want)
		}
	}
}
