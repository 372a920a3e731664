package sim

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// upload sends a file and returns its id.
func upload(t *testing.T, s *Sim, content string) string {
	t.Helper()
	body, contentType := formBody(t, "purpose", "batch", "@file", content)
	got := ask(s, "POST", "/v1/files", body, "Content-Type: "+contentType)
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return decode[struct{ ID string }](t, got.body).ID
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestAFileIsKeptListedReadAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		id := upload(t, s, "0123456789")
		want := `{"object":"file","id":"` + id + `","purpose":"batch","filename":"file.jsonl","bytes":10,"created_at":946684800,` +
			`"expires_at":null,"status":"processed","status_details":null}`
		if got := ask(s, "GET", "/v1/files/"+id, ""); got.body != want {
			t.Errorf("got %s, want %s", got.body, want)
		}
		list := `{"object":"list","data":[` + want + `],"has_more":false,"first_id":"` + id + `","last_id":"` + id + `"}`
		if got := ask(s, "GET", "/v1/files?purpose=batch", ""); got.body != list {
			t.Errorf("got %s, want %s", got.body, list)
		}
		if got := ask(s, "GET", "/v1/files?purpose=fine-tune", ""); strings.Contains(got.body, id) {
			t.Errorf("listed under another purpose: %s", got.body)
		}
		if got := ask(s, "DELETE", "/v1/files/"+id, ""); got.body != `{"id":"`+id+`","object":"file","deleted":true}` {
			t.Errorf("got %s", got.body)
		}
		for _, method := range []string{"GET", "DELETE"} {
			if got := ask(s, method, "/v1/files/"+id, ""); got.status != 404 || !strings.Contains(got.body, "No such File object: "+id) {
				t.Errorf("%s after it is gone: %d %s", method, got.status, got.body)
			}
		}
		if n, held := s.api.Kept(); n != 0 || held != 0 {
			t.Errorf("%d objects and %d bytes are still counted", n, held)
		}
		e, _ := s.Ledger().Entry(1)
		if !e.Work || e.Object != id || e.Route != "files" || len(e.Body) != 16 {
			t.Errorf("ledger: %+v", e)
		}
	})
}

func TestAFilesContentIsGivenInPartsToo(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	path := "/v1/files/" + upload(t, s, "0123456789") + "/content"
	tests := map[string]struct {
		header string
		status int
		body   string
		ranges string
	}{
		"whole":           {"Range: ", 200, "0123456789", ""},
		"a part":          {"Range: bytes=2-4", 206, "234", "bytes 2-4/10"},
		"from an offset":  {"Range: bytes=7-", 206, "789", "bytes 7-9/10"},
		"the last bytes":  {"Range: bytes=-2", 206, "89", "bytes 8-9/10"},
		"beyond the end":  {"Range: bytes=20-", 416, "invalid range: failed to overlap\n", "bytes */10"},
		"no range at all": {"Range: pages=1", 416, "invalid range\n", ""},
		"several at once": {"If-Range: x", 200, "0123456789", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(s, "GET", path, "", test.header)
			if got.status != test.status || got.body != test.body || got.header.Get("Content-Range") != test.ranges {
				t.Errorf("%d %q %q, want %d %q %q", got.status, got.body, got.header.Get("Content-Range"), test.status, test.body, test.ranges)
			}
		})
	}
}

func TestOldFilesMakeRoomAndHugeOnesAreOnlyCounted(t *testing.T) {
	s := New(Config{StoreMax: 100})
	defer s.Close()
	first, second := upload(t, s, strings.Repeat("a", 60)), upload(t, s, strings.Repeat("b", 60))
	if got := ask(s, "GET", "/v1/files/"+first, ""); got.status != 404 {
		t.Errorf("the first: %d, want 404", got.status)
	}
	if got := ask(s, "GET", "/v1/files/"+second+"/content", ""); got.body != strings.Repeat("b", 60) {
		t.Errorf("the second: %q", got.body)
	}
	huge := upload(t, s, strings.Repeat("c", 101))
	if got := ask(s, "GET", "/v1/files/"+huge, ""); !strings.Contains(got.body, `"bytes":101`) {
		t.Errorf("the huge one: %s", got.body)
	}
	if got := ask(s, "GET", "/v1/files/"+huge+"/content", ""); got.status != 404 || !strings.Contains(got.body, "too large to keep") {
		t.Errorf("its content: %d %s", got.status, got.body)
	}
}

func TestAFormThatIsNoneIsRefused(t *testing.T) {
	good, contentType := formBody(t, "purpose", "batch", "@file", "x")
	noFile, noFileType := formBody(t, "purpose", "batch")
	noPurpose, noPurposeType := formBody(t, "@file", "x")
	tests := map[string]struct{ body, contentType, says string }{
		"no form":      {good, "application/json", "multipart/form-data with a boundary"},
		"no boundary":  {good, "multipart/form-data", "boundary"},
		"cut short":    {good[:len(good)-20], contentType, "Could not parse multipart form"},
		"no parts":     {"hello", contentType, "Missing required parameter: 'file'."},
		"no file":      {noFile, noFileType, "Missing required parameter: 'file'."},
		"no purpose":   {noPurpose, noPurposeType, "Missing required parameter: 'purpose'."},
		"not a header": {"--x\r\nbad\r\n\r\n--x--", "multipart/form-data; boundary=x", "Could not parse"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{})
			defer s.Close()
			got := ask(s, "POST", "/v1/files", test.body, "Content-Type: "+test.contentType)
			if got.status != 400 || !strings.Contains(got.body, test.says) {
				t.Errorf("%d %s, want 400 and %s", got.status, got.body, test.says)
			}
			if e, _ := s.Ledger().Entry(1); e.Work {
				t.Errorf("ledger: %+v", e)
			}
		})
	}
}

func TestListsHavePages(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	var ids []string
	for range 5 {
		ids = append([]string{upload(t, s, "x")}, ids...)
	}
	type list struct {
		Data    []struct{ ID string }
		HasMore bool    `json:"has_more"`
		LastID  *string `json:"last_id"`
	}
	var got []string
	after := ""
	for pages := 1; ; pages++ {
		p := decode[list](t, ask(s, "GET", "/v1/files?limit=2&after="+after, "").body)
		for _, f := range p.Data {
			got = append(got, f.ID)
		}
		if !p.HasMore {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		after = *p.LastID
	}
	if !reflect.DeepEqual(got, ids) {
		t.Errorf("got %v, want the newest first: %v", got, ids)
	}
	for _, limit := range []string{"0", "x", "-1", "10001"} {
		if got := ask(s, "GET", "/v1/files?limit="+limit, ""); got.status != 400 {
			t.Errorf("limit %s: %d", limit, got.status)
		}
	}
	if p := decode[list](t, ask(s, "GET", "/v1/files?after=unknown", "").body); len(p.Data) != 0 {
		t.Errorf("after an unknown one: %v", p)
	}
}

func TestABatchGoesItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{JobTime: 10 * time.Second, Tokens: 2})
		defer s.Close()
		input := upload(t, s, `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}`+"\n"+`{"custom_id":"b"}`+"\nnot a line\n")
		created := ask(s, "POST", "/v1/batches", `{"input_file_id":"`+input+`","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"k":"v"}}`)
		type batch struct {
			ID, Status    string
			OutputFileID  *string        `json:"output_file_id"`
			RequestCounts map[string]int `json:"request_counts"`
			Metadata      map[string]string
		}
		id := decode[batch](t, created.body).ID
		steps := []struct {
			after     time.Duration
			status    string
			completed int
		}{
			{0, "validating", 0},
			{999 * time.Millisecond, "validating", 0},
			{time.Millisecond, "in_progress", 0},
			{4 * time.Second, "in_progress", 1},
			{4 * time.Second, "finalizing", 2},
			{time.Second, "completed", 2},
			{time.Hour, "completed", 2},
		}
		for i, step := range steps {
			pass(step.after)
			got := decode[batch](t, ask(s, "GET", "/v1/batches/"+id, "").body)
			want := map[string]int{"total": 2, "completed": step.completed, "failed": 0}
			if got.Status != step.status || !reflect.DeepEqual(got.RequestCounts, want) || got.Metadata["k"] != "v" {
				t.Errorf("step %d: %+v, want %s %v", i, got, step.status, want)
			}
			if (got.OutputFileID != nil) != (step.status == "completed") {
				t.Errorf("step %d: output file %v", i, got.OutputFileID)
			}
		}
		output := *decode[batch](t, ask(s, "GET", "/v1/batches/"+id, "").body).OutputFileID
		lines := strings.Split(strings.TrimSpace(ask(s, "GET", "/v1/files/"+output+"/content", "").body), "\n")
		var customs []string
		for _, line := range lines {
			r := decode[struct {
				CustomID string `json:"custom_id"`
				Response struct {
					StatusCode int `json:"status_code"`
				}
			}](t, line)
			if r.Response.StatusCode == http.StatusOK {
				customs = append(customs, r.CustomID)
			}
		}
		if want := []string{"a", "b"}; !reflect.DeepEqual(customs, want) {
			t.Errorf("results of %v, want %v", customs, want)
		}
		if list := ask(s, "GET", "/v1/batches", "").body; !strings.Contains(list, id) || strings.Count(list, `"object":"batch"`) != 1 {
			t.Errorf("list: %s", list)
		}
		if late := ask(s, "POST", "/v1/batches/"+id+"/cancel", ""); decode[batch](t, late.body).Status != "completed" {
			t.Errorf("canceled too late: %s", late.body)
		}
	})
}

func TestABatchCanBeCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{JobTime: 10 * time.Second})
		defer s.Close()
		input := upload(t, s, "{}")
		created := ask(s, "POST", "/v1/batches", `{"input_file_id":"`+input+`","endpoint":"/v1/embeddings","completion_window":"24h"}`)
		type batch struct{ ID, Status string }
		id := decode[batch](t, created.body).ID
		pass(2 * time.Second)
		for _, want := range []string{"cancelling", "cancelled", "cancelled"} {
			if got := decode[batch](t, ask(s, "POST", "/v1/batches/"+id+"/cancel", "").body); got.Status != want {
				t.Errorf("%s, want %s", got.Status, want)
			}
			pass(time.Second)
		}
		for path, method := range map[string]string{"/v1/batches/batch_x": "GET", "/v1/batches/batch_x/cancel": "POST"} {
			if got := ask(s, method, path, ""); got.status != 404 {
				t.Errorf("%s: %d", path, got.status)
			}
		}
		for _, body := range []string{
			`{}`, `{"input_file_id":"x"}`, `{"input_file_id":"x","endpoint":"y"}`,
			`{"input_file_id":"x","endpoint":"y","completion_window":"24h"}`, `[]`,
		} {
			if got := ask(s, "POST", "/v1/batches", body); got.status != 400 {
				t.Errorf("%s: %d", body, got.status)
			}
		}
	})
}
