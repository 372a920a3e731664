package sim

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// bigBody asks for so many output tokens.
func bigBody(tokens int) string {
	return `{"model":"gpt-4o","messages":[],"max_tokens":` + strconv.Itoa(tokens) + `}`
}

func TestRefusalsReadLikeTheRealOnes(t *testing.T) {
	tests := map[string]struct {
		config Config
		bodies []string // all but the last are admitted
	}{
		"limit_openai_rpm":     {Config{Limits: []meter.Limit{{RPM: 1}}}, []string{chatBody, chatBody}},
		"limit_openai_rpd":     {Config{Limits: []meter.Limit{{RPD: 1, RPM: 9}}}, []string{chatBody, chatBody}},
		"limit_openai_tpm":     {Config{Limits: []meter.Limit{{TPM: 30000}}}, []string{bigBody(14567), bigBody(24754)}},
		"limit_openai_large":   {Config{Limits: []meter.Limit{{TPM: 30000}}}, []string{bigBody(30601)}},
		"limit_openai_no_hint": {Config{Limits: []meter.Limit{{RPM: 1, Hint: meter.NoHint}}}, []string{chatBody, chatBody}},
		"limit_azure_tpm":      {Config{Style: Azure, Limits: []meter.Limit{{TPM: 1000}}}, []string{bigBody(1000), bigBody(725)}},
		"limit_azure_large":    {Config{Style: Azure, Limits: []meter.Limit{{TPM: 1000}}}, []string{bigBody(1001)}},
		"limit_azure_rpm":      {Config{Style: Azure, Limits: []meter.Limit{{RPM: 1}}}, []string{chatBody, chatBody}},
		"limit_groq_tpm":       {Config{Style: Groq, Limits: []meter.Limit{{TPM: 12000, RPD: 14400}}}, []string{bigBody(4437), bigBody(9854)}},
		"limit_groq_large":     {Config{Style: Groq, Limits: []meter.Limit{{TPM: 7000}}}, []string{bigBody(12903)}},
		"limit_anthropic":      {Config{Style: Anthropic, Limits: []meter.Limit{{RPM: 5, TPM: 1000}}}, []string{bigBody(800), bigBody(300)}},
		"limit_no_headers":     {Config{Style: NoHeaders, Limits: []meter.Limit{{RPM: 1}}}, []string{chatBody, chatBody}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.config.Tokens = 1
				s := New(test.config)
				defer s.Close()
				for _, body := range test.bodies[:len(test.bodies)-1] {
					if got := ask(s, "POST", "/v1/chat/completions", body); got.status != http.StatusOK {
						t.Fatalf("%d %s", got.status, got.body)
					}
				}
				got := ask(s, "POST", "/v1/chat/completions", test.bodies[len(test.bodies)-1])
				golden(t, name+".txt", transcript(got))
			})
		})
	}
}

func TestHeadersCountDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Limits: []meter.Limit{{RPM: 60, TPM: 600}}})
		defer s.Close()
		read := func(h http.Header) [6]string {
			return [6]string{
				h.Get("x-ratelimit-limit-requests"), h.Get("x-ratelimit-remaining-requests"), h.Get("x-ratelimit-reset-requests"),
				h.Get("x-ratelimit-limit-tokens"), h.Get("x-ratelimit-remaining-tokens"), h.Get("x-ratelimit-reset-tokens"),
			}
		}
		want := func(got received, want [6]string) {
			t.Helper()
			if read(got.header) != want {
				t.Errorf("got %v, want %v", read(got.header), want)
			}
		}
		want(ask(s, "POST", "/v1/chat/completions", bigBody(60)), [6]string{"60", "59", "1s", "600", "540", "6s"})
		want(ask(s, "POST", "/v1/chat/completions", bigBody(5)), [6]string{"60", "58", "2s", "600", "535", "6.5s"})
		pass(6 * time.Second) // the bubble's clock
		want(ask(s, "POST", "/v1/chat/completions", bigBody(595)), [6]string{"60", "59", "1s", "600", "0", "1m0s"})
		want(ask(s, "POST", "/v1/chat/completions", bigBody(10)), [6]string{"60", "59", "1s", "600", "0", "1m0s"})
	})
}

func TestTheWaitOfARefusalIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Limits: []meter.Limit{{RPM: 3}}})
		defer s.Close()
		for range 3 {
			ask(s, "POST", "/v1/chat/completions", chatBody)
		}
		refused := ask(s, "POST", "/v1/chat/completions", chatBody)
		if refused.status != 429 || refused.header.Get("Retry-After") != "20" || refused.header.Get("Retry-After-Ms") != "20000" {
			t.Fatalf("%d %v", refused.status, refused.header)
		}
		pass(20*time.Second - time.Millisecond)
		if early := ask(s, "POST", "/v1/chat/completions", chatBody); early.status != 429 {
			t.Errorf("a millisecond early: %d", early.status)
		}
		pass(time.Millisecond)
		if onTime := ask(s, "POST", "/v1/chat/completions", chatBody); onTime.status != 200 {
			t.Errorf("on time: %d", onTime.status)
		}
	})
}

func TestTokensAreChargedAsConfigured(t *testing.T) {
	// 400 characters of messages are 100 tokens.
	body := `{"model":"m","n":2,"max_tokens":30,"messages":["` + string(make400()) + `"]}`
	tests := map[string]struct {
		charge TokenCost
		want   string
	}{
		"the larger of the two": {Max, "900"},
		"the sum":               {Sum, "840"},
		"by default the larger": {"", "900"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Charge: test.charge, Limits: []meter.Limit{{TPM: 1000}}})
			defer s.Close()
			if got := ask(s, "POST", "/v1/chat/completions", body).header.Get("x-ratelimit-remaining-tokens"); got != test.want {
				t.Errorf("%s tokens remain, want %s", got, test.want)
			}
		})
	}
}

// make400 makes a list of one string 400 characters long.
func make400() []byte {
	b := make([]byte, 396)
	for i := range b {
		b[i] = 'a'
	}
	return b
}

func TestImagesHaveALimitOfTheirOwn(t *testing.T) {
	s := New(Config{Limits: []meter.Limit{{Model: "gpt-image-1", IPM: 3}}})
	defer s.Close()
	for i, want := range []int{200, 429, 200, 429} {
		n := []string{"2", "2", "1", "1"}[i]
		if got := ask(s, "POST", "/v1/images/generations", `{"prompt":"x","n":`+n+`}`); got.status != want {
			t.Errorf("request %d: %d, want %d", i+1, got.status, want)
		}
	}
	if got := ask(s, "POST", "/v1/chat/completions", chatBody); got.status != 200 {
		t.Errorf("another model: %d", got.status)
	}
}

func TestARefusedRequestIsNotDone(t *testing.T) {
	s := New(Config{Limits: []meter.Limit{{RPM: 1}}})
	defer s.Close()
	ask(s, "POST", "/v1/chat/completions", chatBody)
	ask(s, "POST", "/v1/chat/completions", chatBody)
	var got []ledger.Entry
	for _, e := range s.Ledger().Entries(ledger.Filter{}) {
		got = append(got, ledger.Entry{Status: e.Status, Work: e.Work, Fault: e.Fault, Attempt: e.Attempt, Done: e.Done})
	}
	want := []ledger.Entry{
		{Status: 200, Work: true, Attempt: 1, Done: true},
		{Status: 429, Fault: "limit RPM", Attempt: 2, Done: true},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if d := s.Duplicates(); len(d) != 0 {
		t.Errorf("duplicates: %+v", d)
	}
}
