package classify

import (
	"fmt"
	"strings"
	"testing"
)

func TestConflict_SaysWhetherTheSameCallRunsOrTheKeyIsAnothers(t *testing.T) {
	said := func(message, code string) string {
		return fmt.Sprintf(`{"error":{"message":%q,"type":"conflict_error","code":%q}}`, message, code)
	}
	for body, want := range map[string]string{
		// The call is being made.
		said("", "idempotency_in_progress"): "still_running",
		said("There is currently another in-progress request using this Idempotency Key (that probably means you submitted twice, and the other request is still going through).", "idempotency_key_in_use"): "still_running",
		said("A request is outstanding for this Idempotency-Key", ""):                                            "still_running",
		said("The call with this Idempotency-Key is still being made, since 3s.", ""):                            "still_running",
		said("Another request with the same key is being processed", ""):                                         "still_running",
		said("The original request has not completed yet", ""):                                                   "still_running",
		said("Concurrent requests with one idempotency key", ""):                                                 "still_running",
		said("", "CONCURRENT_REQUEST"):                                                                           "still_running",
		said("", "idempotent_request_pending"):                                                                   "still_running",
		`{"type":"https://example.com/idempotency","title":"A request is outstanding for this Idempotency-Key"}`: "still_running",
		`A duplicate request is already processing`:                                                              "still_running",
		// It is another call's.
		said("", "idempotency_mismatch"): "key_of_another",
		said("Keys for idempotent requests can only be used with the same parameters they were first used with.", "idempotency_error"): "key_of_another",
		said("Idempotency-Key is already in use with different parameters", "idempotency_key_in_use"):                                  "key_of_another",
		said("This Idempotency-Key was used for another request: the body differs.", "idempotency_key_reused"):                         "key_of_another",
		said("The request body does not match the one that was sent with this idempotency key", ""):                                    "key_of_another",
		said("Same key, different request body", "conflict"):                                                                           "key_of_another",
		`{"title":"Idempotency-Key is already used","detail":"It must not be reused across different payloads of this operation."}`:    "key_of_another",
		// Neither: other conflicts.
		said("Another process is currently operating on this conversation. Please retry in a few seconds.", "conversation_locked"): "conflict",
		said("The file is being processed", ""):                                       "conflict",
		said("A model with that name exists in a different region", "already_exists"): "conflict",
		said("The run is already completed", ""):                                      "conflict",
		said("Version conflict: the object changed", "version_conflict"):              "conflict",
		"": "conflict",
	} {
		if got := Classify(answer(409, body)).Rule; got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for _, status := range []int{400, 422} {
		v := Classify(answer(status, said("different request body", "idempotency_mismatch")))
		if v.Repeat != Never {
			t.Errorf("%d: %+v", status, v)
		}
	}
}

func TestConflict_WaitUnderTheCallsOwnKeyIsForTheSameCall(t *testing.T) {
	for name, tt := range map[string]struct {
		keyed   bool
		body    string
		headers []string
		want    string
	}{
		"seconds":               {true, "", []string{"Retry-After: 2"}, "still_running"},
		"none at all":           {true, `{"error":"conflict"}`, []string{"Retry-After: 0"}, "still_running"},
		"no wait":               {true, "", nil, "conflict"},
		"nobody has the key":    {false, "", []string{"Retry-After: 2"}, "conflict"},
		"another call's key":    {true, "idempotency key: payload mismatch", []string{"Retry-After: 2"}, "key_of_another"},
		"the server forbids it": {true, "", []string{"Retry-After: 2", "X-Should-Retry: false"}, "still_running"},
	} {
		a := answer(409, tt.body, tt.headers...)
		a.Keyed = tt.keyed
		v := Classify(a)
		if v.Rule != tt.want || strings.Contains(name, "forbids") != (v.Repeat == Never) && tt.want != "key_of_another" {
			t.Errorf("%s: %+v, want %s", name, v, tt.want)
		}
	}
	late := answer(425, "", "Retry-After: 2")
	late.Keyed = true
	if got := Classify(late).Rule; got != "conflict" {
		t.Errorf("425: %s", got)
	}
}
