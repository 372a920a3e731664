package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"outrigger/proxy/recent"
	"outrigger/proxy/status"
)

func newPage() *Page {
	r := recent.New(time.Now())
	return New(Source{Status: func() status.Status { return status.Status{} }, Recent: r})
}

func ask(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8384"+path, http.NoBody))
	return w
}

func TestPage_LoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	p := newPage()
	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]`)
	inline := regexp.MustCompile(`(?i)<style| style=| on[a-z]+=|javascript:`)
	for _, path := range []string{"/", "/page.css", "/page.js", "/view.js", "/story.js", "/icon.svg"} {
		w := ask(t, p, path)
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
		body := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "") // a name, which is not loaded
		if found := elsewhere.FindString(body); found != "" {
			t.Errorf("%s names %s", path, found)
		}
		if found := inline.FindString(body); path == "/" && found != "" {
			t.Errorf("the index has %q, which its Content-Security-Policy forbids", found)
		}
	}
	w := ask(t, p, "/")
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;") {
		t.Errorf("Content-Security-Policy: %s", got)
	}
	if strings.Contains(w.Body.String(), wordsMark) || !strings.Contains(w.Body.String(), "OUTRIGGER_RETRY_MAX") {
		t.Error("the index does not have the words that explain reasons")
	}
	if w := ask(t, p, "/files/page.js"); w.Code != http.StatusNotFound {
		t.Errorf("another path: status %d", w.Code)
	}
}

func TestRequests_TheLatestFirst(t *testing.T) {
	t.Parallel()
	r := recent.New(time.Now())
	p := New(Source{Status: func() status.Status { return status.Status{} }, Recent: r})
	done(r, "a")
	done(r, "b")
	w := ask(t, p, "/requests.json")
	var got Requests
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Requests) != 2 || got.Requests[0].ID != "b" || got.Requests[1].ID != "a" || got.Totals.Requests != 2 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %+v", got)
	}
}
