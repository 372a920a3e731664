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
