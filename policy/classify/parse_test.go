package classify

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestErrorsAreReadInEveryShape(t *testing.T) {
	quota := ErrorFields{Type: "insufficient_quota", Code: "c", Param: "p", Message: "m"}
	tests := map[string]struct {
		body string
		want ErrorFields
	}{
		"OpenAI":               {`{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}`, quota},
		"in a list":            {`[{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}]`, quota},
		"flat":                 {`{"object":"error","message":"m","type":"insufficient_quota","param":"p","code":"c"}`, quota},
		"in FastAPI's detail":  {`{"detail":{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}}`, quota},
		"in a failed response": {`{"type":"response.failed","response":{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}}`, quota},
		"in another error":     {`{"error":{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}}`, quota},
		"in a list of errors":  {`{"success":false,"errors":[{"message":"m","type":"insufficient_quota","param":"p","code":"c"}]}`, quota},
		"in a choice":          {`{"choices":[{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}]}`, quota},
		"white space before":   {"\r\n \t{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"param\":\"p\",\"code\":\"c\"}}\n", quota},
		"a byte order mark":    {"\ufeff{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"param\":\"p\",\"code\":\"c\"}}", quota},
		"more after it":        {`{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"c"}}{"x":1}[DONE]`, quota},
		"as an event stream":   {"event: error\ndata: {\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"param\":\"p\",\"code\":\"c\"}}\n\n", quota},
		"a number as code":     {`{"error":{"message":"m","code":429}}`, ErrorFields{Code: "429", Message: "m"}},
		"null as code":         {`{"error":{"message":"m","code":null,"type":null,"param":null}}`, ErrorFields{Message: "m"}},
		"error is a string":    {`{"code":"prose","error":"m"}`, ErrorFields{Code: "prose", Message: "m"}},
		"error and message":    {`{"error":"Too Many Requests","message":"more"}`, ErrorFields{Message: "Too Many Requests"}},
		"detail is a string":   {`{"detail":"Unauthorized"}`, ErrorFields{Message: "Unauthorized"}},
		"detail is a list":     {`{"detail":[{"loc":["body"],"msg":"Field required","type":"missing","input":"secret"}]}`, ErrorFields{Type: "missing", Message: "Field required"}},
		"Apigee's fault":       {`{"fault":{"faultstring":"m","detail":{"errorcode":"e"}}}`, ErrorFields{Message: "m"}},
		"MiniMax's base_resp":  {`{"base_resp":{"status_code":1008,"status_msg":"m"}}`, ErrorFields{Code: "1008", Message: "m"}},
		"an event's own type":  {`{"type":"error","code":"c","message":"m"}`, ErrorFields{Code: "c", Message: "m"}},
		"a string":             {`"m"`, ErrorFields{Message: "m"}},
		"plain text":           {"error code: 524", ErrorFields{Message: "error code: 524"}},
		"broken JSON":          {`{"error":{"message":"m`, ErrorFields{Message: `{"error":{"message":"m`}},
		"a page":               {"<html><body>m</body></html>", ErrorFields{}},
		"nothing":              {"", ErrorFields{}},
		"only white space":     {" \n", ErrorFields{}},
		"a list of nothing":    {"[1,2]", ErrorFields{}},
		"types that are wrong": {`{"error":{"message":{"x":1},"type":[1],"code":true}}`, ErrorFields{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Classify(answer(429, tt.body)).Error; got != tt.want {
				t.Errorf("got\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}

func TestTheContentTypeDoesNotHideJSON(t *testing.T) {
	body := `{"error":{"message":"m","type":"insufficient_quota"}}`
	for _, kind := range []string{"text/plain", "text/html", "application/octet-stream", ""} {
		if v := Classify(answer(429, body, "Content-Type: "+kind)); v.Outcome != OutcomeQuota {
			t.Errorf("%q: got %v, want quota", kind, v.Outcome)
		}
	}
}

func TestNestedErrorsAreReadWithinBounds(t *testing.T) {
	quoted := `{"error":{"code":"insufficient_quota","message":"m"}}`
	for depth := range 4 {
		v := Classify(answer(429, quoted))
		if got, want := v.Outcome == OutcomeQuota, depth <= 2; got != want {
			t.Errorf("%d levels deep: got %v, want %v", depth, v.Outcome, want)
		}
		quoted = `{"error":{"message":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(quoted) + `"}}`
	}
}

func TestLongMessagesAreCutBetweenCharacters(t *testing.T) {
	v := Classify(answer(400, strings.Repeat("a", messageMax-1)+"é"))
	if len(v.Error.Message) != messageMax-1 || !utf8.ValidString(v.Error.Message) {
		t.Errorf("got %d bytes, want %d", len(v.Error.Message), messageMax-1)
	}
}

func TestErrorsInsideA200StandForAStatus(t *testing.T) {
	tests := map[string]struct {
		data string
		want int
	}{
		"a number":                    {`{"error":{"code":404,"message":"x","type":"NotFoundError"}}`, 404},
		"a number as string":          {`{"error":{"code":"503","message":"x"}}`, 503},
		"http_status":                 {`{"error":{"http_status":402,"message":"x","code":null}}`, 402},
		"status":                      {`{"error":{"status":400,"code":"content_filter"}}`, 400},
		"null":                        {`{"error":{"code":null,"message":"x"}}`, 500},
		"a code of nobody":            {`{"type":"error","code":"ERR_SOMETHING","message":"x"}`, 500},
		"rate_limit_exceeded":         {`{"error":{"code":"rate_limit_exceeded"}}`, 429},
		"a prefixed rate limit":       {`{"error":{"code":"rpm_rate_limit_exceeded"}}`, 429},
		"insufficient_quota":          {`{"error":{"code":"insufficient_quota"}}`, 429},
		"overloaded_error":            {`{"type":"error","error":{"type":"overloaded_error"}}`, 529},
		"server_is_overloaded":        {`{"error":{"type":"service_unavailable_error","code":"server_is_overloaded"}}`, 503},
		"authentication_error":        {`{"error":{"type":"authentication_error"}}`, 401},
		"invalid_api_key":             {`{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}`, 401},
		"permission_error":            {`{"error":{"type":"permission_error"}}`, 403},
		"model_not_found":             {`{"error":{"type":"invalid_request_error","code":"model_not_found"}}`, 404},
		"invalid_request_error alone": {`{"error":{"type":"invalid_request_error","code":null}}`, 400},
		"rate limit of that type":     {`{"error":{"type":"invalid_request_error","code":"rate_limit_error"}}`, 429},
		"context_length_exceeded":     {`{"error":{"code":"context_length_exceeded"}}`, 400},
		"a bad image":                 {`{"error":{"code":"image_too_large"}}`, 400},
		"timeout_error":               {`{"error":{"type":"timeout_error"}}`, 504},
		"vector_store_timeout":        {`{"error":{"code":"vector_store_timeout"}}`, 504},
		"server_error":                {`{"error":{"code":"server_error"}}`, 500},
		"Google's status":             {`{"error":{"code":1,"status":"RESOURCE_EXHAUSTED"}}`, 429},
		"z.ai's concurrency":          {`{"error":{"code":"1302"}}`, 429},
		"z.ai's overload":             {`{"error":{"code":"1305"}}`, 503},
		"a text about a rate limit":   {`{"error":{"message":"Rate limit reached","code":null}}`, 429},
		"MiniMax's rate limit":        {`{"base_resp":{"status_code":1002,"status_msg":"x"}}`, 429},
		"MiniMax's key":               {`{"base_resp":{"status_code":2049,"status_msg":"x"}}`, 401},
		"MiniMax's balance":           {`{"base_resp":{"status_code":1008,"status_msg":"x"}}`, 402},
		"MiniMax's timeout":           {`{"base_resp":{"status_code":1001,"status_msg":"x"}}`, 504},
		"MiniMax's failure":           {`{"base_resp":{"status_code":1013,"status_msg":"x"}}`, 500},
		"MiniMax's refusal":           {`{"base_resp":{"status_code":1027,"status_msg":"x"}}`, 400},
		"a status out of range":       {`{"error":{"code":200,"message":"x"}}`, 500},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(event("error", tt.data)); v.Status != tt.want {
				t.Errorf("rule %s: got %d, want %d", v.Rule, v.Status, tt.want)
			}
			body := answer(http.StatusOK, tt.data)
			if v := Classify(body); IsErrorBody(body.Body) && v.Status != tt.want {
				t.Errorf("as a body, rule %s: got %d, want %d", v.Rule, v.Status, tt.want)
			}
		})
	}
}

func TestAStreamsFirstEventIsJudgedLikeAnAnswer(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		rule string
	}{
		"Perplexity's 400":               {event("error", `{"error":{"code":400,"message":"x"}}`), ruleOtherRejection},
		"OpenAI, nested":                 {event("error", `{"type":"error","error":{"type":"insufficient_quota","code":null,"message":"x"},"sequence_number":2}`), "billing_code"},
		"OpenAI, failed":                 {event("response.failed", `{"type":"response.failed","response":{"error":{"code":"server_is_overloaded","message":"x"}}}`), "overloaded"},
		"OpenAI, failed without error":   {event("response.failed", `{"type":"response.failed","response":{"error":null}}`), "server_error"},
		"xAI without capacity":           {event("", `{"error":"The model is currently at capacity due to high demand."}`), "model_overloaded"},
		"OpenRouter's finish_reason":     {event("", `{"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`), "server_error"},
		"OpenRouter's provider":          {event("", `{"provider":"OpenAI","error":{"code":429,"message":"x"},"choices":[{"finish_reason":"error"}]}`), "model_overloaded"},
		"DeepSeek without resources":     {event("", `{"choices":[{"finish_reason":"insufficient_system_resource"}]}`), "overloaded"},
		"vLLM's unknown model":           {event("", `{"error":{"code":404,"message":"x","type":"NotFoundError"}}`), "model_unknown"},
		"a moderation":                   {event("error", `{"error":{"code":"content_policy_violation","message":"x"}}`), ruleOtherRejection},
		"the quota sentence in a stream": {event("", `{"error":{"message":"You exceeded your current quota","code":null}}`), "current_quota"},
		"an event without data":          {event("error", ``), "server_error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Rule != tt.rule {
				t.Errorf("got %s, want %s", v.Rule, tt.rule)
			}
		})
	}
}

func TestARateLimitBelongsToTheModelWhereTheAnswerSaysSo(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want Scope
	}{
		"nothing is said":             {answer(429, ``), Credential},
		"an organisation's limit":     {answer(429, `{"error":{"message":"request reached organization max RPM: 3","type":"rate_limit_reached_error"}}`), Credential},
		"Mistral":                     {answer(429, `{"object":"error","message":"Rate limit exceeded","type":"rate_limited","code":"1300"}`), Credential},
		"the text names a model":      {answer(429, `Too many requests for team t and model grok-4.`), Model},
		"the text counts per minute":  {answer(429, `exceed 20,000 input tokens per minute`), Model},
		"OpenAI's code":               {answer(429, `{"error":{"code":"rate_limit_exceeded"}}`), Model},
		"OpenAI's type":               {answer(429, `{"error":{"type":"requests"}}`), Model},
		"a limit's code of a model":   {answer(429, `{"error":{"type":"model_rate_limit"}}`), Model},
		"Azure's code":                {answer(429, `{"error":{"code":"429","message":"Rate limit is exceeded."}}`), Model},
		"a number is not Azure's":     {answer(429, `{"error":{"code":429,"message":"Rate limit is exceeded."}}`), Credential},
		"Anthropic's shape":           {answer(429, `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}`), Model},
		"Anthropic's headers":         {answer(429, ``, "Anthropic-Ratelimit-Requests-Limit: 5"), Model},
		"OpenAI's headers":            {answer(429, ``, "X-Ratelimit-Limit-Tokens: 5"), Model},
		"headers without a dimension": {answer(429, ``, "X-Ratelimit-Limit: 20"), Credential},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Scope != tt.want || v.Rule != "rate_limited" {
				t.Errorf("rule %s: got %v, want %v", v.Rule, v.Scope, tt.want)
			}
		})
	}
}

func TestNamesArePrinted(t *testing.T) {
	got := strings.Join([]string{
		OutcomeOK.String(), OutcomeNeverFits.String(), OutcomeCanceled.String(), Outcome(99).String(),
		Upstream.String(), Pause.String(), LimiterSlowDown.String(), Fault.String(), Answered.String(), Canceled.String(),
	}, " ")
	want := "ok never_fits canceled unknown upstream pause slow_down fault answered canceled"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
