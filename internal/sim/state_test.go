package sim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/reply"
)

func TestWhoMayAsk(t *testing.T) {
	tests := map[string]struct {
		config Config
		header string
		status int
		says   string
	}{
		"any bearer":             {Config{}, "Authorization: Bearer sk-x", 200, ""},
		"any case of the scheme": {Config{}, "Authorization: bearer sk-x", 200, ""},
		"an Azure key":           {Config{}, "api-key: k", 200, ""},
		"an Anthropic key":       {Config{}, "x-api-key: k", 200, ""},
		"nothing":                {Config{}, "Authorization: ", 401, "You didn't provide an API key."},
		"another scheme":         {Config{}, "Authorization: Basic dTpw", 401, "You didn't provide an API key."},
		"a known key":            {Config{Keys: []string{"sk-a", "sk-x"}}, "Authorization: Bearer sk-x", 200, ""},
		"an unknown key":         {Config{Keys: []string{"sk-a"}}, "Authorization: Bearer sk-12345678901234567890", 401, "Incorrect API key provided: sk-12345***********7890."},
		"a short unknown key":    {Config{Keys: []string{"sk-a"}}, "Authorization: Bearer sk-x", 401, "Incorrect API key provided: ****."},
		"a known model":          {Config{Models: []string{"gpt-4o"}}, "Authorization: Bearer k", 200, ""},
		"an unknown model":       {Config{Models: []string{"o4"}}, "Authorization: Bearer k", 404, "The model `gpt-4o` does not exist"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(test.config)
			defer s.Close()
			headers := []string{test.header}
			if !strings.HasPrefix(test.header, "Authorization") {
				headers = append(headers, "Authorization: ")
			}
			got := ask(s, "POST", "/v1/chat/completions", chatBody, headers...)
			if got.status != test.status || !strings.Contains(got.body, test.says) {
				t.Errorf("%d %s, want %d %s", got.status, got.body, test.status, test.says)
			}
		})
	}
}

func TestADeadCredentialIsRefusedUntilItIsRestored(t *testing.T) {
	for _, id := range []string{"openai/429_credit_balance_exhausted", "openai/429_billing_not_active", "anthropic/402_billing", "openai/401_account_deactivated"} {
		row, err := fault.FindRow(id)
		if err != nil {
			t.Fatal(err)
		}
		s := New(Config{Accounts: []Account{{Credential: "sk-dead", Row: id}}})
		dead := ask(s, "POST", "/v1/chat/completions", chatBody, "Authorization: Bearer sk-dead")
		if dead.status != row.Status || dead.body != row.Body {
			t.Errorf("%s: %d %s", id, dead.status, dead.body)
		}
		if other := ask(s, "POST", "/v1/chat/completions", chatBody); other.status != 200 {
			t.Errorf("another credential: %d", other.status)
		}
		if e, _ := s.Ledger().Entry(1); e.Fault != "account "+id || e.Work {
			t.Errorf("ledger: %+v", e)
		}
		if err := s.SetAccount(Account{Credential: "sk-dead"}); err != nil {
			t.Fatal(err)
		}
		if restored := ask(s, "POST", "/v1/chat/completions", chatBody, "Authorization: Bearer sk-dead"); restored.status != 200 {
			t.Errorf("restored: %d", restored.status)
		}
		s.Close()
	}
}

func TestACredentialMayBeDeadForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		for _, a := range []Account{
			{Credential: "sk-*", Row: "openai/429_billing_not_active"},
			{Credential: "sk-test", Row: "openai/401_no_key", For: 5 * time.Second},
		} {
			if err := s.SetAccount(a); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []int{401, 429} {
			if got := ask(s, "POST", "/v1/chat/completions", chatBody); got.status != want {
				t.Errorf("%d, want %d", got.status, want)
			}
			pass(5 * time.Second)
		}
		if err := s.SetAccount(Account{Credential: "x", Row: "openai/nothing"}); err == nil {
			t.Error("an unknown row was accepted")
		}
	})
}

func TestCapacityRefusesWhatIsTooMuchAtOnce(t *testing.T) {
	bubble(t, Config{Capacity: 2, Latency: time.Second}, func(t *testing.T, s *Sim, c *http.Client) {
		results := make(chan int, 3)
		for range 3 {
			go func() {
				got, err := post(t, c, "http://sim/v1/chat/completions", chatBody)
				if err != nil {
					t.Error(err)
				}
				results <- got.status
			}()
			synctest.Wait()
		}
		got := [3]int{<-results, <-results, <-results}
		if want := [3]int{503, 200, 200}; got != want {
			t.Errorf("statuses in the order of the answers: %v, want %v", got, want)
		}
		if again, err := post(t, c, "http://sim/v1/chat/completions", chatBody); err != nil || again.status != 200 {
			t.Errorf("when there is room again: %d, %v", again.status, err)
		}
		if e, _ := s.Ledger().Entry(3); e.Fault != "capacity" || e.Work {
			t.Errorf("ledger: %+v", e)
		}
	})
}

func inProgress(s *Sim) int { return s.capacity.Inflight() }

func TestAPlaceIsFreeAgainAfterAFault(t *testing.T) {
	s := New(Config{Capacity: 1, CapacityRow: "openai/429_overloaded_legacy", Faults: []fault.Rule{
		{Kind: fault.KindReset, First: 1}, {Kind: fault.KindCutReset, First: 1},
	}})
	url := server(t, s)
	c := client(t, &http.Transport{})
	for range 2 {
		if _, err := post(t, c, url+"/v1/chat/completions", streamBody); err == nil {
			t.Error("no fault struck")
		}
		// The client sees the reset before the handler has come to its end.
		idle := time.NewTicker(time.Millisecond)
		for inProgress(s) > 0 {
			select {
			case <-idle.C:
			case <-t.Context().Done():
				t.Fatal("the place was never given back")
			}
		}
		idle.Stop()
	}
	if got, err := post(t, c, url+"/v1/chat/completions", streamBody); err != nil || got.status != 200 {
		t.Errorf("%d, %v", got.status, err)
	}
}

func TestResetBringsBackTheStart(t *testing.T) {
	s := New(Config{
		Limits:   []meter.Limit{{RPM: 2}},
		Faults:   []fault.Rule{{Kind: fault.KindStatus, Status: 500, First: 1}},
		Accounts: []Account{{Credential: "sk-dead", Row: "openai/429_billing_not_active"}},
	})
	defer s.Close()
	run := func() []int {
		var got []int
		for _, key := range []string{"sk-test", "sk-test", "sk-test", "sk-dead"} {
			got = append(got, ask(s, "POST", "/v1/chat/completions", chatBody, "Authorization: Bearer "+key).status)
		}
		return got
	}
	want := []int{500, 200, 429, 429}
	for round := range 2 {
		if got := run(); !equal(got, want) {
			t.Errorf("round %d: %v, want %v", round, got, want)
		}
		body, contentType := formBody(t, "purpose", "batch", "@file", "{}")
		ask(s, "POST", "/v1/files", body, "Content-Type: "+contentType, "Authorization: Bearer sk-other")
		for _, err := range []error{
			s.SetLimits(), s.SetFaults(), s.SetAccount(Account{Credential: "sk-dead"}), s.Outage(Outage{Kind: OutageHang}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		s.Reset()
		if n := s.Ledger().Requests(); n != 0 {
			t.Errorf("%d requests are left in the ledger", n)
		}
		if n, held := s.api.Kept(); n != 0 || held != 0 {
			t.Errorf("%d objects and %d bytes are left", n, held)
		}
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestABadConfigurationIsTold(t *testing.T) {
	tests := map[string]struct {
		config Config
		says   []string
	}{
		"limit":        {Config{Limits: []meter.Limit{{RPM: -1}}}, []string{"rpm is -1"}},
		"fault":        {Config{Faults: []fault.Rule{{Kind: "melt"}}}, []string{`"melt"`}},
		"account":      {Config{Accounts: []Account{{Row: "x/y"}}}, []string{`"x/y"`}},
		"capacity row": {Config{CapacityRow: "x/y"}, []string{`"x/y"`}},
		"style":        {Config{Style: "baroque"}, []string{"baroque"}},
		"charge":       {Config{Charge: "min"}, []string{`"min"`}},
		"time":         {Config{Latency: -1}, []string{"negative duration"}},
		"number":       {Config{Tokens: -1}, []string{"negative number"}},
		"everything":   {Config{Style: "baroque", Charge: "min", Latency: -1}, []string{"baroque", `"min"`, "negative duration"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(test.config)
			defer s.Close()
			_, startErr := s.Start("127.0.0.1:0")
			got := ask(s, "GET", "/v1/models", "")
			for _, text := range test.says {
				if startErr == nil || !strings.Contains(startErr.Error(), text) {
					t.Errorf("Start: %v, want it to say %s", startErr, text)
				}
				if got.status != 500 || !strings.Contains(got.body, text) {
					t.Errorf("%d %s, want 500 with %s", got.status, got.body, text)
				}
			}
			s.Reset() // does not panic
		})
	}
}

func TestABodyOverTheBoundIsRefused(t *testing.T) {
	s := New(Config{BodyMax: 100})
	defer s.Close()
	if got := ask(s, "POST", "/v1/chat/completions", `{"model":"m","messages":["`+strings.Repeat("x", 100)+`"]}`); got.status != 413 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := ask(s, "POST", "/v1/chat/completions", chatBody); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	long := strings.Repeat("x", 5000)
	ask(s, "POST", "/v1/chat/completions", `{"model":"`+long+`","messages":[]}`,
		"Idempotency-Key: "+long, "X-Sim-Request: "+long, "Authorization: Bearer "+long)
	ask(s, "GET", "/"+long, "")
	for _, e := range s.Ledger().Entries(ledger.Filter{}) {
		if n := len(e.Path) + len(e.Model) + len(e.Key) + len(e.Request); n > 4*256 {
			t.Errorf("an entry of %d bytes", n)
		}
	}
	for _, path := range []string{"/v1/responses", "/v1/batches"} {
		if got := ask(s, "POST", path, `{"model":"m","input":"x","metadata":{"k":"`+strings.Repeat(long, 4)+`"}}`); got.status != 400 {
			t.Errorf("%s with much metadata: %d", path, got.status)
		}
	}
	var many []string
	for range 1001 {
		many = append(many, "n", "v")
	}
	body, contentType := formBody(t, many...)
	if got := ask(s, "POST", "/v1/files", body, "Content-Type: "+contentType); got.status != 400 || !strings.Contains(got.body, "1000 parts") {
		t.Errorf("many parts: %d %s", got.status, got.body)
	}
}

func TestFaultAnswersCarryWhatTheRuleSays(t *testing.T) {
	row, err := fault.FindRow("openai/429_rpm")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		rule   fault.Rule
		status int
		header string
		value  string
		body   string
	}{
		"status":          {fault.Rule{Kind: fault.KindStatus, Status: 504}, 504, "Content-Type", "application/json", string(reply.OpenAIError(504).Body())},
		"status and body": {fault.Rule{Kind: fault.KindStatus, Status: 418, Body: "tea", Headers: map[string]string{"content-type": "text/plain"}}, 418, "Content-Type", "text/plain", "tea"},
		"a good status":   {fault.Rule{Kind: fault.KindStatus, Status: 200, Headers: map[string]string{"X-A": "b"}}, 200, "X-A", "b", ""},
		"row":             {fault.Rule{Kind: fault.KindRow, Row: "openai/429_rpm"}, 429, "Retry-After", "20", row.Body},
		"row and header":  {fault.Rule{Kind: fault.KindRow, Row: "openai/429_rpm", Headers: map[string]string{"retry-after": "7"}}, 429, "Retry-After", "7", row.Body},
		"html":            {fault.Rule{Kind: fault.KindHTML}, 502, "Content-Type", "text/html", htmlPage},
		"html status":     {fault.Rule{Kind: fault.KindHTML, Status: 504}, 504, "Content-Type", "text/html", strings.ReplaceAll(htmlPage, "502 Bad Gateway", "504 Gateway Timeout")},
		"gzip error":      {fault.Rule{Kind: fault.KindRow, Row: "openai/429_rpm", Gzip: true}, 429, "Content-Encoding", "gzip", string(gzipped([]byte(row.Body)))},
		"200 with error":  {fault.Rule{Kind: fault.KindRow, Row: "openrouter/200_json_error_body"}, 200, "Content-Type", "application/json", `{"error":{"message":"Upstream error from Nvidia: ResourceExhausted: Worker local total request limit reached (1)","code":502}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Faults: []fault.Rule{test.rule}})
			defer s.Close()
			got := ask(s, "POST", "/v1/chat/completions", chatBody)
			if got.status != test.status || got.header.Get(test.header) != test.value || got.body != test.body {
				t.Errorf("%d %s: %s\n%s\nwant %d %s\n%s", got.status, test.header, got.header.Get(test.header), got.body, test.status, test.value, test.body)
			}
			if got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) {
				t.Errorf("Content-Length %s for %d bytes", got.header.Get("Content-Length"), len(got.body))
			}
			if e, _ := s.Ledger().Entry(1); e.Work || e.Status != test.status || e.Fault != test.rule.Name() {
				t.Errorf("ledger: %+v", e)
			}
		})
	}
}

func TestEveryRowCanBeServed(t *testing.T) {
	for _, row := range fault.Rows() {
		s := New(Config{Faults: []fault.Rule{{Kind: fault.KindRow, Row: row.ID()}}})
		body := chatBody
		if row.Stream() {
			body = streamBody
		}
		got := ask(s, "POST", "/v1/chat/completions", body)
		if got.status != row.Status || !strings.HasPrefix(got.body, row.Body) {
			t.Errorf("%s: %d %s", row.ID(), got.status, got.body)
		}
		s.Close()
	}
}
