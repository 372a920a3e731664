package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

func TestTheControlEndpointAnswers(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"index":                      {"GET", "/_sim", "", 200, "POST /_sim/reset"},
		"index with a slash":         {"GET", "/_sim/", "", 200, "POST /_sim/reset"},
		"unknown":                    {"GET", "/_sim/nothing", "", 404, "no such control"},
		"wrong method":               {"PATCH", "/_sim/faults", "", 404, "no such control"},
		"reset":                      {"POST", "/_sim/reset", "", 200, "true"},
		"kinds":                      {"GET", "/_sim/kinds", "", 200, `"kind": "cut_reset"`},
		"rows":                       {"GET", "/_sim/rows", "", 200, `"id": "openai/429_rpm"`},
		"no faults":                  {"GET", "/_sim/faults", "", 200, `"rules": []`},
		"a fault":                    {"POST", "/_sim/faults", `{"kind":"hang","for":"5s"}`, 200, `"for": "5s"`},
		"a list of faults":           {"POST", "/_sim/faults", `[{"kind":"hang"},{"kind":"reset"}]`, 200, `"kind": "reset"`},
		"faults under rules":         {"PUT", "/_sim/faults", `{"rules":[{"kind":"close"}]}`, 200, `"kind": "close"`},
		"an unknown kind":            {"POST", "/_sim/faults", `{"kind":"melt"}`, 400, "melt"},
		"an unknown field":           {"POST", "/_sim/faults", `{"kind":"hang","fro":"5s"}`, 400, "known are"},
		"a bad duration":             {"POST", "/_sim/faults", `{"kind":"hang","for":5}`, 400, "duration"},
		"no JSON":                    {"POST", "/_sim/faults", `kind=hang`, 400, "bad request"},
		"nothing":                    {"POST", "/_sim/faults", ``, 200, `"rules": []`},
		"a string":                   {"POST", "/_sim/faults", `"hang"`, 400, "not a JSON object"},
		"null rules":                 {"POST", "/_sim/faults", `{"rules":null}`, 400, "kind is"},
		"a limit":                    {"PUT", "/_sim/limits", `{"rpm":60,"enforce":"quanta"}`, 200, `"enforce": "quanta"`},
		"limits":                     {"PUT", "/_sim/limits", `[{"rpm":60},{"tpm":5}]`, 200, `"tpm": 5`},
		"a bad limit":                {"PUT", "/_sim/limits", `{"rpm":-1}`, 400, "rpm is -1"},
		"half a limit":               {"PUT", "/_sim/limits", `{"rpm":`, 400, "bad request"},
		"no limits":                  {"DELETE", "/_sim/limits", ``, 200, `"limits": []`},
		"a concurrency limit":        {"PUT", "/_sim/concurrency", `{"places":4,"row":"zhipu/429_1302_concurrency"}`, 200, `"places": 4`},
		"bad places":                 {"PUT", "/_sim/concurrency", `{"places":-1}`, 400, "places is -1"},
		"half a concurrency limit":   {"PUT", "/_sim/concurrency", `{"places":`, 400, "bad request"},
		"no concurrency limits":      {"DELETE", "/_sim/concurrency", ``, 200, `"concurrency": []`},
		"a capacity":                 {"PUT", "/_sim/capacity", `{"limit":8,"refusal_cost":0.1}`, 200, `"refusal_cost": 0.1`},
		"a bad capacity":             {"PUT", "/_sim/capacity", `{"limit":-1}`, 400, "limit is -1"},
		"not a capacity":             {"PUT", "/_sim/capacity", `8`, 400, "JSON object"},
		"the present capacity":       {"GET", "/_sim/capacity", ``, 200, `"row": "openai/503_server_is_overloaded"`},
		"an account":                 {"POST", "/_sim/accounts", `{"credential":"sk-a","row":"openai/429_billing_not_active","for":"5s"}`, 200, "billing_not_active"},
		"a bad row":                  {"POST", "/_sim/accounts", `{"credential":"sk-a","row":"openai/x"}`, 400, "openai/429_rpm"},
		"not an account":             {"POST", "/_sim/accounts", `[]`, 400, "JSON object"},
		"accounts":                   {"GET", "/_sim/accounts", ``, 200, `"accounts": []`},
		"an outage":                  {"POST", "/_sim/outage", `{"kind":"status","status":500,"for":"5s"}`, 200, `"status": 500`},
		"a bad outage":               {"POST", "/_sim/outage", `{"kind":"strike"}`, 400, "strike"},
		"refusing for ever":          {"POST", "/_sim/outage", `{"kind":"refuse"}`, 400, "needs for"},
		"not an outage":              {"POST", "/_sim/outage", `hang`, 400, "JSON object"},
		"the present outage":         {"GET", "/_sim/outage", ``, 200, `"outage": {}`},
		"the end of an outage":       {"DELETE", "/_sim/outage", ``, 200, "{}"},
		"the ledger":                 {"GET", "/_sim/ledger", ``, 200, `"duplicates": []`},
		"the ledger after no number": {"GET", "/_sim/ledger?after=x", ``, 400, "invalid syntax"},
		"the ledger's last none":     {"GET", "/_sim/ledger?last=x", ``, 400, "invalid syntax"},
		"too much":                   {"POST", "/_sim/faults", strings.Repeat(" ", 5<<20), 413, "too large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{})
			defer s.Close()
			got := ask(s, test.method, test.path, test.body, "Authorization: ")
			if got.status != test.status || !strings.Contains(got.body, test.says) || !json.Valid([]byte(got.body)) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, test.status, test.says)
			}
			if n := s.Ledger().Requests(); n != 0 {
				t.Errorf("%d control requests are in the ledger", n)
			}
		})
	}
}

func TestWhatIsControlledTakesEffect(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	chat := func() int { return ask(s, "POST", "/v1/chat/completions", chatBody).status }
	control := func(method, path, body string) {
		t.Helper()
		if got := ask(s, method, path, body); got.status != 200 {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
	expect := func(when string, want ...int) {
		t.Helper()
		for _, status := range want {
			if got := chat(); got != status {
				t.Errorf("%s: %d, want %d", when, got, status)
			}
		}
	}
	control("POST", "/_sim/faults", `{"kind":"status","status":500,"first":1}`)
	control("POST", "/_sim/faults", `{"kind":"status","status":502,"first":1}`)
	expect("with two rules", 500, 502, 200)
	control("POST", "/_sim/faults", `{"kind":"status","status":503}`)
	expect("with a third", 503)
	control("PUT", "/_sim/faults", `{"kind":"status","status":504}`)
	expect("replaced", 504, 504)
	control("DELETE", "/_sim/faults", "")
	expect("ended", 200)
	control("PUT", "/_sim/limits", `{"rpm":1}`)
	expect("limited", 200, 429)
	control("DELETE", "/_sim/limits", "")
	expect("unlimited", 200, 200)
	control("POST", "/_sim/accounts", `{"credential":"sk-test","row":"openai/401_account_deactivated"}`)
	expect("dead", 401)
	control("POST", "/_sim/accounts", `{"credential":"sk-test","row":""}`)
	expect("alive", 200)
	control("POST", "/_sim/outage", `{"kind":"status"}`)
	expect("away", 503)
	control("DELETE", "/_sim/outage", "")
	expect("back", 200)
	control("POST", "/_sim/faults", `{"kind":"status","status":500}`)
	control("POST", "/_sim/reset", "")
	expect("reset", 200)
}

func TestTheLedgerIsShownAsItIs(t *testing.T) {
	s := New(Config{Faults: []fault.Rule{{Kind: fault.KindClose, After: true, Path: "/v1/files", First: 1}}})
	url := server(t, s)
	c := client(t, &http.Transport{})
	body, contentType := formBody(t, "purpose", "batch", "@file", "secret content")
	for range 2 {
		_, _ = post(t, c, url+"/v1/files", body, "Content-Type: "+contentType, "Idempotency-Key: k-1", "X-Sim-Request: r-1")
	}
	if _, err := post(t, c, url+"/v1/chat/completions", chatBody); err != nil {
		t.Fatal(err)
	}
	got := ask(s, "GET", "/_sim/ledger?path=/v1/files&last=1", "")
	type view struct {
		Requests   int
		Duplicates []struct {
			Identity        struct{ Request string }
			Attempts, Works int
			Objects         []string
		}
		Totals  map[string]struct{ Requests, Works, Faults int }
		Entries []struct {
			ID             int
			Work           bool
			Attempt        int
			IdempotencyKey string `json:"idempotency_key"`
		}
	}
	v := decode[view](t, got.body)
	if v.Requests != 3 || len(v.Duplicates) != 1 || v.Duplicates[0].Identity.Request != "r-1" || v.Duplicates[0].Works != 2 || len(v.Duplicates[0].Objects) != 2 {
		t.Errorf("got %+v", v)
	}
	if f := v.Totals["files"]; f.Requests != 2 || f.Works != 2 || f.Faults != 1 {
		t.Errorf("totals: %+v", v.Totals)
	}
	if len(v.Entries) != 1 || v.Entries[0].ID != 2 || v.Entries[0].Attempt != 2 || v.Entries[0].IdempotencyKey != "k-1" {
		t.Errorf("entries: %+v", v.Entries)
	}
	for _, secret := range []string{"sk-test", "secret content"} {
		if strings.Contains(got.body, secret) {
			t.Errorf("the ledger shows %q", secret)
		}
	}
}

func TestControlWorksDuringAnOutage(t *testing.T) {
	s := New(Config{Limits: []meter.Limit{{RPM: 1}}})
	defer s.Close()
	if err := s.Outage(Outage{Kind: OutageHang}); err != nil {
		t.Fatal(err)
	}
	if got := ask(s, "DELETE", "/_sim/outage", ""); got.status != 200 {
		t.Errorf("%d", got.status)
	}
	if got := ask(s, "POST", "/v1/chat/completions", chatBody); got.status != 200 {
		t.Errorf("%d", got.status)
	}
}
