package batches

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// recorded keeps what a Recorder is told.
type recorded struct{ spans, notices []string }

func (*recorded) Begin(observe.Kind, string) {}
func (*recorded) Done(*observe.Event)        {}

func (r *recorded) Span(_ string, s observe.Span) {
	r.spans = append(r.spans, fmt.Sprintf("%s %s %s", s.Kind, s.Lane, s.Reason))
}

func (r *recorded) Notice(n observe.Notice) {
	text := n.Level.String() + " " + n.Message
	for _, f := range n.Fields {
		text += " " + f.String()
	}
	r.notices = append(r.notices, text)
}

// read has an answer read in pieces of a size.
func read(s *Batches, answer string, size int) {
	c := &call.Call{ID: "or-1", Endpoint: endpoint.Of(http.MethodGet, "/v1/batches/batch_1", endpoint.Facts{})}
	r := s.Reader(c, "openai", &http.Response{StatusCode: http.StatusOK})
	for piece := range slices.Chunk([]byte(answer), size) {
		if n, err := r.Write(piece); n != len(piece) || err != nil {
			panic("a Reader takes everything")
		}
	}
}

// failed is a batch as OpenAI shows it.
const failed = `{
  "id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions",
  "errors": {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "a secret", "line": null}, {"code": "second"}]},
  "input_file_id": "file-in", "completion_window": "24h", "status": "failed", "output_file_id": null, "error_file_id": "file-err",
  "created_at": 1711471533, "request_counts": {"total": 100, "completed": 95, "failed": 5},
  "metadata": {"status": "completed", "id": "mine", "object": "batch", "error_file_id": "mine"}
}`

func TestReader_ReadsABatchInAnyPieces(t *testing.T) {
	for size := 1; size <= len(failed); size++ {
		r := &recorded{}
		read(New(r), failed, size)
		if want := []string{"batch openai failed"}; !slices.Equal(r.spans, want) {
			t.Fatalf("in pieces of %d: %q, want %q", size, r.spans, want)
		}
		want := []string{"WARN a batch failed id=or-1 upstream=openai batch=batch_1 lines=100 lines_completed=95 lines_failed=5 error_file_id=file-err error_code=token_limit_exceeded"}
		if !slices.Equal(r.notices, want) {
			t.Fatalf("in pieces of %d:\n%q, want\n%q", size, r.notices, want)
		}
	}
}

func TestReader_ReadsAListOfBatches(t *testing.T) {
	list := `{"object": "list", "first_id": "batch_1", "data": [` + failed + `, {"id": "batch_2", "object": "batch", "status": "in_progress"},
		{"id": "file-1", "object": "file", "status": "processed"}, {"status": "expired", "object": "batch", "id": "batch_3"}], "has_more": false}`
	r := &recorded{}
	read(New(r), list, 100)
	if want := []string{"batch openai failed", "batch openai in_progress", "batch openai expired"}; !slices.Equal(r.spans, want) {
		t.Errorf("%q, want %q", r.spans, want)
	}
}

func TestReader_TakesNothingElseForABatch(t *testing.T) {
	for _, answer := range []string{
		"", "null", "[]", `"batch"`, `{`, `<html>`, `[` + failed + `]`, `{"batch": ` + failed + `}`, `{"data": {"a": ` + failed + `}}`,
		`{"id": "batch_1", "object": "batch"}`, `{"status": "failed", "object": "batch"}`, `{"id": "batch_1", "status": "failed"}`,
		`{"id": "batch_1", "status": "failed", "object": "batch"`, `{"id": "batch_1", "status": null, "object": "batch"}`,
		strings.Repeat(`{"data":[`, 300), `{"error": {"message": "No batch", "code": "failed"}}`,
	} {
		r := &recorded{}
		read(New(r), answer, 7)
		if len(r.spans)+len(r.notices) > 0 {
			t.Errorf("%s: %q, %q", answer, r.spans, r.notices)
		}
	}
}

func TestReader_OnlyOfReadableAnswersAboutBatches(t *testing.T) {
	s := New(&recorded{})
	for _, c := range []struct {
		method, path string
		status       int
		header       http.Header
		want         bool
	}{
		{http.MethodGet, "/v1/batches", 200, nil, true},
		{http.MethodPost, "/v1/batches", 200, nil, true},
		{http.MethodGet, "/v1/batches/batch_1", 200, nil, true},
		{http.MethodPost, "/v1/batches/batch_1/cancel", 200, nil, true},
		{http.MethodGet, "/v1/batches/batch_1", 404, nil, false},
		{http.MethodGet, "/v1/batches/batch_1", 200, http.Header{"Content-Encoding": {"br"}}, false},
		{http.MethodGet, "/v1/files", 200, nil, false},
		{http.MethodPost, "/v1/messages/batches", 200, nil, false},
	} {
		r := s.Reader(&call.Call{Endpoint: endpoint.Of(c.method, c.path, endpoint.Facts{})}, "openai", &http.Response{StatusCode: c.status, Header: c.header})
		if (r != nil) != c.want {
			t.Errorf("%+v: read %v", c, r != nil)
		}
	}
}

// A batch counts once in each state, however often it is asked for.
func TestBatches_CountEachStateOnce(t *testing.T) {
	r := &recorded{}
	s := New(r)
	for _, status := range []string{"validating", "validating", "in_progress", "validating", "completed", "completed", "new_state", "newer_state"} {
		read(s, `{"id": "batch_1", "object": "batch", "status": "`+status+`", "request_counts": {"failed": 1}}`, 1000)
	}
	if want := []string{"batch openai validating", "batch openai in_progress", "batch openai completed", "batch openai other"}; !slices.Equal(r.spans, want) {
		t.Errorf("%q, want %q", r.spans, want)
	}
	if len(r.notices) != 1 || !strings.HasPrefix(r.notices[0], "INFO a batch completed, and some of its lines failed") {
		t.Errorf("%q", r.notices)
	}
}

// What is remembered is bounded: the batch that is known for the longest time is forgotten.
func TestBatches_RememberABoundedNumber(t *testing.T) {
	s := New(&recorded{})
	for i := range 3 * most {
		if !s.isNew("openai", &Batch{ID: fmt.Sprint(i), Status: "failed"}) {
			t.Fatalf("batch %d is not new", i)
		}
	}
	if len(s.seen) != most || len(s.order) != most {
		t.Errorf("%d and %d are remembered", len(s.seen), len(s.order))
	}
	for id, want := range map[string]bool{"0": true, fmt.Sprint(3*most - 1): false, fmt.Sprint(2*most + 1): false} {
		if s.isNew("openai", &Batch{ID: id, Status: "failed"}) != want {
			t.Errorf("batch %s: new is not %v", id, want)
		}
	}
	if !s.isNew("azure", &Batch{ID: fmt.Sprint(3*most - 1), Status: "failed"}) {
		t.Error("another upstream's batch is taken for this one's")
	}
}

// What is kept of an answer is bounded.
func TestReader_CutsWhatIsTooLong(t *testing.T) {
	r := &recorded{}
	read(New(r), `{"id": "`+strings.Repeat("x", 1<<20)+`", "object": "batch", "status": "expired", "error_file_id": "`+strings.Repeat("y", 1<<20)+`"}`, 4096)
	if len(r.notices) != 1 || len(r.notices[0]) > 500 {
		t.Errorf("%d notices, of %d bytes", len(r.notices), len(strings.Join(r.notices, "")))
	}
}

func FuzzReader(f *testing.F) {
	f.Add(failed, 3)
	f.Add(`{"data":[{"errors":{"data":[{"code":"a"}]}}]}`, 1)
	f.Fuzz(func(_ *testing.T, answer string, size int) { read(New(&recorded{}), answer, min(max(size, 1), 1<<10)) })
}
