package apierror

import (
	"net/http"
	"reflect"
	"testing"
	"time"
)

func TestEveryCodeHasAStatusAndAType(t *testing.T) {
	for code, e := range table {
		if e.Status < 400 || e.Status > 599 || e.Type == "" || code == "" {
			t.Errorf("%q: status %d, type %q", code, e.Status, e.Type)
		}
		if e.Code != "" || e.Message != "" {
			t.Errorf("%q has a code or a message in the table", code)
		}
	}
}

func TestNew_TakesStatusAndTypeFromTheTable(t *testing.T) {
	got := *New(Draining, "%d left", 3)
	want := Error{Status: 503, Type: "server_error", Code: "draining", Message: "3 left", RetryAfter: time.Second, Later: true}
	if got != want || got.Error() != "draining: 3 left" {
		t.Errorf("got %+v", got)
	}
	if _ = New(Draining, "").After(2 * time.Second); New(Draining, "").RetryAfter != time.Second {
		t.Error("After changes the table")
	}
}

func TestSetWait(t *testing.T) {
	for wait, want := range map[time.Duration]http.Header{
		0:                       {},
		-time.Second:            {},
		1500 * time.Millisecond: {"Retry-After": {"2"}, "Retry-After-Ms": {"1500"}},
		time.Minute:             {"Retry-After": {"60"}, "Retry-After-Ms": {"60000"}},
		61 * time.Second:        {},
	} {
		h := http.Header{}
		New(CircuitOpen, "").After(wait).SetWait(h)
		if !reflect.DeepEqual(h, want) {
			t.Errorf("%s: got %v", wait, h)
		}
	}
}

func TestBody(t *testing.T) {
	e := New(BadRequest, "a \"b\"")
	if got, want := string(e.Body()), `{"error":{"code":"bad_request","message":"a \"b\"","param":null,"type":"invalid_request_error"}}`; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := string(e.MessagesBody("r1")), `{"error":{"code":"bad_request","message":"a \"b\"","param":null,"type":"invalid_request_error"},"request_id":"r1","type":"error"}`; got != want {
		t.Errorf("got %s", got)
	}
}
