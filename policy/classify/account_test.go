package classify

import "testing"

func TestARefusalNamesTheAccount(t *testing.T) {
	for name, tt := range map[string]struct{ message, want string }{
		"OpenAI": {
			"Rate limit reached for gpt-4o in organization org-XXX on tokens per min (TPM): Limit 30000, Used 14567, Requested 24754.",
			"gpt-4o in organization org-XXX",
		},
		"Groq": {
			"Rate limit reached for model `llama` in organization `org_XXX` service tier `on_demand` on tokens per minute (TPM): Limit 12000, Used 2542",
			"model `llama` in organization `org_XXX` service tier `on_demand`",
		},
		"no organization": {"Rate limit reached for requests on this key", ""},
		"Azure":           {"Requests to the ChatCompletions_Create Operation have exceeded call rate limit.", ""},
		"no kind":         {"Rate limit reached for gpt-4o in organization org-XXX", ""},
		"nothing":         {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (ErrorFields{Message: tt.message}).Account(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestADeadCredentialIsKnownByItsCodeInAnySpelling: under 200 nothing but the code tells.
func TestADeadCredentialIsKnownByItsCodeInAnySpelling(t *testing.T) {
	dead := []string{
		`{"code":"InvalidApiKey","message":"x"}`,
		`{"code":"invalid-api-key","message":"x"}`,
		`{"code":"INVALID_API_KEY","message":"x"}`,
		`{"code":"Invalid API Key","message":"x"}`,
		`{"error":{"type":"AuthenticationError","message":"x"}}`,
		`{"error":{"code":"accountDeactivated","message":"x"}}`,
	}
	others := []string{
		`{"code":"InvalidApiVersion","message":"x"}`,
		`{"code":"InternalError","message":"x"}`,
		`{"code":"ApiKeyQuota","message":"x"}`,
		`{"error":{"code":"invalid_api","message":"the api key service is down"}}`,
	}
	for _, in := range dead {
		if v := Classify(event("error", in)); v.Outcome != OutcomeCredential || v.Repeat != Never || v.Status != 401 || !v.Trip {
			t.Errorf("%s: rule %s: %v with %d", in, v.Rule, v.Outcome, v.Status)
		}
	}
	// A phrase alone ends its own call, and is not remembered.
	if v := Classify(event("error", `{"code":null,"message":"Incorrect API key provided: sk-a"}`)); v.Outcome != OutcomeCredential || v.Repeat != Never || v.Trip {
		t.Errorf("a phrase: rule %s: %v, remembered %t", v.Rule, v.Outcome, v.Trip)
	}
	for _, in := range others {
		if v := Classify(event("error", in)); v.Outcome == OutcomeCredential {
			t.Errorf("%s is taken for a dead credential by %s", in, v.Rule)
		}
	}
}
