package eventstream

import (
	"encoding/json"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

func TestFieldsAreReadAsTheStandardSays(t *testing.T) {
	tests := map[string]struct {
		stream string
		want   []string // name|data of all events, by the last one seen after each Write
	}{
		"a space after the colon is not of the value": {"data:x\n\ndata: x\n\ndata:  x\n\n", []string{"|x", "|x", "| x"}},
		"data lines are joined":                       {"data: a\ndata\ndata: b\n\n", []string{"|a\n\nb"}},
		"the last event line counts":                  {"event: a\ndata: 1\nevent: b\n\n", []string{"b|1"}},
		"an event line without a value takes it back": {"event: a\nevent\ndata: 1\n\n", []string{"|1"}},
		"a name does not outlive its event":           {"event: a\n\ndata: 1\n\n", []string{"|1"}},
		"an event without data is none":               {"event: a\n\nid: 1\n\n: b\n\n\n", nil},
		"one named error is":                          {"event: error\n\n", []string{"error|"}},
		"other fields are ignored":                    {"id: 1\nretry: 2\ndatum: 3\nda: 4\nDATA: 5\ndata: 6\n:data: 7\ndata : 8\n\n", []string{"|6"}},
		"a colon belongs to the value":                {"data::a:b\n\n", []string{"|:a:b"}},
		"a byte order mark counts at the start only":  {mark + "data: 1\n\n" + mark + "data: 2\n\n", []string{"|1"}},
		"half a byte order mark is a field's name":    {mark[:2] + "data: 1\n\ndata: 2\n\n", []string{"|2"}},
		"CR, LF and CRLF mixed":                       {"data: 1\r\rdata: 2\r\n\ndata: 3\n\r\ndata: 4\r\n\r\n", []string{"|1", "|2", "|3", "|4"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			from := 0
			for i := range len(tc.stream) {
				// A fresh Watcher from each event's start: its first event is that one.
				w := New(endpoint.Chat)
				_, _ = w.Write([]byte(tc.stream[from:i]))
				n := w.Events()
				_, _ = w.Write([]byte(tc.stream[i : i+1]))
				if w.Events() == n {
					continue
				}
				e, ok := w.Meaningful()
				if !ok || e.End != int64(i+1-from) {
					t.Fatalf("at %d: event %v ends at %d", i, ok, e.End)
				}
				got = append(got, e.Name+"|"+string(e.Data))
				from = i + 1
				if from > 0 && strings.HasPrefix(tc.stream[from:], mark) {
					break // a Watcher that begins here would skip it
				}
			}
			if strings.Join(got, "\x00") != strings.Join(tc.want, "\x00") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestErrorsAreKnownInEveryShape(t *testing.T) {
	tests := map[string]struct {
		stream string
		want   bool
	}{
		"an error object":              {`data: {"error":{"message":"m"}}`, true},
		"an error object after others": {`data: {"a":[{"b":{}}],"error" : {"message":"m"}}`, true},
		"an error string":              {`data: {"error":"m"}`, true},
		"an error list":                {`data: {"error":["m"]}`, true},
		"an error number":              {`data: {"error":12}`, true},
		"a true error":                 {`data: {"error":true}`, true},
		"null":                         {`data: {"error":null}`, false},
		"false":                        {`data: {"error":false}`, false},
		"zero":                         {`data: {"error":0.0e0}`, false},
		"an empty string":              {`data: {"error":""}`, false},
		"an empty object":              {`data: {"error": { } }`, false},
		"an empty list":                {`data: {"error":[ ]}`, false},
		"an error deeper down":         {`data: {"a":{"error":{"message":"m"}}}`, false},
		"an error in the text":         {`data: {"a":"\"error\":{\"message\":\"m\"}"}`, false},
		"a name that ends so":          {`data: {"an\"error":{"message":"m"}}`, false},
		"null in a response":           {`data: {"response":{"error":null},"type":"response.completed"}`, false},
		"the type error":               {`data: {"message":"m","type":"error"}`, true},
		"the type response.failed":     {`data: {"type":"response.failed"}`, true},
		"the type of something inside": {`data: {"item":{"type":"error"},"type":"response.output_item.done"}`, false},
		"the name error":               {"event: error\ndata: {}", true},
		"the name response.error":      {"event: response.error\ndata: {}", true},
		"a name that begins so":        {"event: errors\ndata: {}", false},
		"the object error":             {`data: {"object":"error","message":"m"}`, true},
		"the event_type error":         {`data: {"event_type":"error"}`, true},
		"finish_reason error":          {`data: {"choices":[{"finish_reason":"stop"},{"finish_reason":"error"}]}`, true},
		"out of system resources":      {`data: {"choices":[{"finish_reason":"insufficient_system_resource"}]}`, true},
		"another finish_reason":        {`data: {"choices":[{"finish_reason":"content_filter"}]}`, false},
		"a finish_reason elsewhere":    {`data: {"choice":[{"finish_reason":"error"}]}`, false},
		"a string among the choices":   {`data: {"choices":[{"finish_reason":"stop"},"error"]}`, false},
		"a number over two lines":      {"data: {\"error\":1\ndata: 2}", false},
		"an object over two lines":     {"data: {\"error\":\ndata: 2}", true},
		"a list of errors":             {`data: [{"error":{"code":503}}]`, true},
		"no JSON":                      {`data: error`, false},
		"broken JSON":                  {`data: }{"error":1}`, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, d := range []endpoint.Dialect{endpoint.Chat, endpoint.Unknown} {
				w := watch(d, []byte(tc.stream+"\n\n"))
				e, got := w.Error()
				if got != tc.want {
					t.Errorf("%s: error is %v, want %v", d, got, tc.want)
				}
				if _, ok := w.Meaningful(); !ok || got && e.End != int64(len(tc.stream)+2) {
					t.Errorf("%s: meaningful is %v, end at %d", d, ok, e.End)
				}
			}
		})
	}
}

func TestDoneIsToldPerDialect(t *testing.T) {
	ends := map[string]endpoint.Dialect{
		"response.completed": endpoint.Responses, "response.incomplete": endpoint.Responses, "response.failed": endpoint.Responses,
		"message_stop": endpoint.Messages, "image_generation.completed": endpoint.Images, "image_edit.completed": endpoint.Images,
		"transcript.text.done": endpoint.Transcriptions, "speech.audio.done": endpoint.Speech, "done": endpoint.Assistants,
	}
	last := map[string]bool{"message_stop": true, "speech.audio.done": true, "done": true}
	for name, end := range ends {
		for d := endpoint.Unknown; d <= endpoint.Assistants; d++ {
			for _, stream := range []string{"event: " + name + "\ndata: {}\n\n", `data: {"type":"` + name + "\"}\n\n"} {
				w := watch(d, []byte(stream))
				if w.Done() != (d == end) || w.Finished() != (d == end && last[name]) {
					t.Errorf("%s in %s: done %v, finished %v", name, d, w.Done(), w.Finished())
				}
				w = watch(d, []byte("data: [DONE]\n\n"))
				if !w.Done() || w.Finished() != (d != endpoint.Unknown) {
					t.Errorf("[DONE] in %s: done %v, finished %v", d, w.Done(), w.Finished())
				}
			}
		}
	}
}

func TestAnAnswerIsDoneWhenEveryChoiceIs(t *testing.T) {
	steps := []struct {
		choices string
		want    bool
	}{
		{`[]`, false},
		{`[{"index":1,"finish_reason":null}]`, false},
		{`[{"finish_reason":"stop","index":1}]`, true},
		{`[{"index":0,"finish_reason":""},{"index":64}]`, false},
		{`[{"index":64,"finish_reason":"length"}]`, false},
		{`[{"finish_reason":"tool_calls"}]`, true},                               // no index: the first
		{`[{"index":1},{"finish_reason":"stop"},{"finish_reason":null}]`, false}, // the third
		{`[{"index":2,"finish_reason":"stop"}]`, true},
		{`[{"index":128}]`, false}, // more than can be followed
		{`[{"index":128,"finish_reason":"stop"}]`, false},
	}
	for _, d := range []endpoint.Dialect{endpoint.Chat, endpoint.Completions} {
		w := New(d)
		for i, step := range steps {
			_, _ = w.Write([]byte(`data: {"choices":` + step.choices + "}\n\n"))
			if w.Done() != step.want || w.Finished() {
				t.Errorf("%s, step %d: done %v, finished %v", d, i, w.Done(), w.Finished())
			}
		}
		_, _ = w.Write([]byte("data: [DONE] and more\n\n"))
		if !w.Done() || !w.Finished() {
			t.Errorf("%s: done %v, finished %v after [DONE]", d, w.Done(), w.Finished())
		}
	}
}

func TestEventsThatSayNothingYetAreNotMeaningful(t *testing.T) {
	early := strings.Join([]string{
		": comment\n\n", "\n\n", "event: ping\ndata: {}\n\n", `data: {"type":"ping"}` + "\n\n", "data:\n\n",
		"event: message_start\ndata: {}\n\n", "event: content_block_start\ndata: {}\n\n",
		"event: response.created\ndata: {}\n\n", `data: {"type":"response.in_progress"}` + "\n\n", "event: response.queued\ndata: {}\n\n",
		"event: unfinished\ndata: {}\n",
	}, "")
	w := watch(endpoint.Responses, []byte(early))
	if e, ok := w.Meaningful(); ok || w.Events() != 8 {
		t.Errorf("event %d, %q %q is meaningful", w.Events(), e.Name, e.Data)
	}
	_, _ = w.Write([]byte("\n"))
	if e, ok := w.Meaningful(); !ok || e.Name != "unfinished" || string(e.Data) != "{}" || e.End != int64(len(early)+1) || e.Cut {
		t.Errorf("%v, %+v", ok, e)
	}
	_, _ = w.Write([]byte("event: later\ndata: {}\n\n"))
	if e, _ := w.Meaningful(); e.Name != "unfinished" || string(e.Data) != "{}" {
		t.Errorf("it did not stay: %+v", e)
	}
}

// An event of several MB: only a prefix is kept, but what it says is known wherever
// in it that stands.
func TestLargeEventsAreUnderstood(t *testing.T) {
	long := strings.Repeat(`iVBO\"Rw0KGgo=\\`, 1<<18) // 4 MiB
	failed := `{"response":{"instructions":"` + long + `","error":{"code":"server_is_overloaded","message":"a \"b\" }"},"usage":null},"type":"response.failed"}`
	tests := map[string]struct {
		dialect       endpoint.Dialect
		data          string
		done, failure bool
		kept          string // of the first event, if it is not its prefix
	}{
		"an image, its type last":       {endpoint.Images, `{"b64_json":"` + long + `","usage":{"input_tokens":7,"output_tokens":9},"type":"image_edit.completed"}`, true, false, ""},
		"a delta":                       {endpoint.Responses, `{"type":"response.output_text.delta","delta":"` + long + `"}`, false, false, ""},
		"an answer that failed":         {endpoint.Responses, failed, true, true, `{"response":{"error":{"code":"server_is_overloaded","message":"a \"b\" }"}},"type":"response.failed"}`},
		"an error at the end":           {endpoint.Chat, `{"a":["` + long + `"],"error":{"code":503}}`, false, true, `{"error":{"code":503}}`},
		"an error that is large itself": {endpoint.Chat, `{"error":{"code":"` + long + `"}}`, false, true, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := New(tc.dialect)
			stream := "data: " + tc.data + "\n\n"
			for part := range strings.SplitAfterSeq(stream, "G") {
				_, _ = w.Write([]byte(part))
			}
			e, ok := w.Meaningful()
			_, failed := w.Error()
			if !ok || !e.Cut || e.End != int64(len(stream)) || failed != tc.failure || w.Done() != tc.done {
				t.Errorf("%v, cut %v, end %d, failed %v, done %v", ok, e.Cut, e.End, failed, w.Done())
			}
			want := tc.kept
			if want == "" {
				want = tc.data[:firstMax]
			} else if !json.Valid([]byte(want)) {
				t.Fatal("no JSON is expected")
			}
			if string(e.Data) != want {
				t.Errorf("kept %d bytes: %.200s", len(e.Data), e.Data)
			}
			if prompt, completion := w.Usage(); tc.dialect == endpoint.Images && (prompt != 7 || completion != 9) {
				t.Errorf("usage %d, %d", prompt, completion)
			}
			if cap(w.data.text) > laterMax {
				t.Errorf("%d bytes are held for later events", cap(w.data.text))
			}
		})
	}
}

func TestLaterEventsAreKeptShorter(t *testing.T) {
	long := strings.Repeat("x", firstMax)
	w := New(endpoint.Chat)
	for range 3 {
		_, _ = w.Write([]byte(`data: {"choices":[],"text":"` + long + `"}` + "\n\n"))
	}
	_, _ = w.Write([]byte(`data: {"error":{"message":"m"},"text":"` + long + `"}` + "\n\n"))
	e, ok := w.Error()
	if !ok || string(e.Data) != `{"error":{"message":"m"}}` || !e.Cut {
		t.Errorf("%v, %.200q", ok, e.Data)
	}
	if size := cap(w.data.text); size > 2*laterMax {
		t.Errorf("%d bytes are held", size)
	}
}

func TestResetForgetsTheStream(t *testing.T) {
	w := New(endpoint.Chat)
	for name, tc := range golden {
		w.Reset(tc.dialect)
		stream := transcript(t, name)
		_, _ = w.Write(stream)
		if got := reportOf(t, w, stream); got != tc.want {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, tc.want)
		}
	}
}
