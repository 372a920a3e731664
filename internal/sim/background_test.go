package sim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/api"
	"outrigger/internal/sim/fault"
)

const backgroundStream = `{"model":"m","input":"x","background":true,"stream":true}`

func TestABackgroundStreamCanBeHadAgainFromAnyEventOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		whole := ask(s, "POST", "/v1/responses", backgroundStream).body
		_, id, _ := strings.Cut(whole, `"response":{"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if !strings.Contains(whole, `"background":true`) {
			t.Errorf("got %.300q", whole)
		}
		if got := ask(s, "GET", "/v1/responses/"+id+"?stream=true", "").body; got != whole {
			t.Errorf("had again: %q, want %q", got, whole)
		}
		events := strings.SplitAfter(whole, "\n\n")
		for i := range len(events) - 1 {
			got := ask(s, "GET", "/v1/responses/"+id+"?stream=true&starting_after="+strconv.Itoa(i), "").body
			if want := strings.Join(events[i+1:], ""); got != want {
				t.Errorf("after %d: %q, want %q", i, got, want)
			}
		}
		pass(api.EventsKept)
		if got := ask(s, "GET", "/v1/responses/"+id+"?stream=true", ""); got.status != 200 {
			t.Errorf("within its time: %d", got.status)
		}
		pass(time.Second)
		if got := ask(s, "GET", "/v1/responses/"+id+"?stream=true", ""); got.status != 400 {
			t.Errorf("after its time: %d", got.status)
		}
		if got := ask(s, "GET", "/v1/responses/"+id, ""); got.status != 200 || !strings.Contains(got.body, `"status":"completed"`) {
			t.Errorf("without its events: %d %q", got.status, got.body)
		}
	})
}

func TestAStreamIsCutInsideAnEvent(t *testing.T) {
	_, url := faulty(t, fault.Rule{Kind: fault.KindCutClean, Events: 2, Bytes: 17, Method: "POST"})
	got, err := post(t, client(t, &http.Transport{}), url+"/v1/responses", backgroundStream)
	if events := strings.Split(got.body, "\n\n"); err != nil || len(events) != 3 || len(events[2]) != 17 {
		t.Errorf("got %q %v", got.body, err)
	}
}
