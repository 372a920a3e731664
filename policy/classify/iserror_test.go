package classify

import (
	"strings"
	"testing"

	"outrigger/internal/jsonscan"
)

func TestErrorEventsAreToldFromOthers(t *testing.T) {
	tests := map[string]struct {
		event, data string
		want        bool
	}{
		"chat error without event name":    {"", `{"error":{"message":"x","type":"server_error"}}`, true},
		"error is a string":                {"", `{"error":"x"}`, true},
		"error beside choices":             {"", `{"id":"x","error":{"code":429},"choices":[{"finish_reason":"error"}]}`, true},
		"finish_reason error":              {"", `{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}`, true},
		"finish_reason of a second choice": {"", `{"choices":[{"finish_reason":null},{"finish_reason":"error"}]}`, true},
		"DeepSeek ran out of resources":    {"", `{"choices":[{"finish_reason":"insufficient_system_resource"}]}`, true},
		"event error, flat":                {"error", `{"type":"error","code":"x","message":"y"}`, true},
		"event error, nested":              {"error", `{"type":"error","error":{"type":"x"}}`, true},
		"event error, without data":        {"error", ``, true},
		"type error without event name":    {"", `{"type": "error", "code":"x"}`, true},
		"response.failed":                  {"response.failed", `{"type":"response.failed"}`, true},
		"response.failed without name":     {"", `{"type":"response.failed","response":{}}`, true},
		"response.error of OpenRouter":     {"", `{"type":"response.error","error_type":"x"}`, true},
		"Gemini's event_type":              {"", `{"event_type":"error","error":{"code":1}}`, true},
		"MiniMax's base_resp":              {"", `{"choices":[],"base_resp":{"status_code":1002}}`, true},
		"Gemini's list":                    {"", `[{"error":{"code":503,"status":"UNAVAILABLE"}}]`, true},
		"vLLM's flat object":               {"", `{"object":"error","message":"x","code":400}`, true},
		"a list of something else":         {"", `[{"text":"error"},{"error":{"code":1}}]`, false},
		"truncated":                        {"", `{"error":{"message":"x`, true},
		"a byte order mark":                {"", "\ufeff{\"error\":true}", true},
		"error null":                       {"", `{"error":null,"choices":[]}`, false},
		"error false":                      {"", `{"error":false}`, false},
		"error empty":                      {"", `{"error":""}`, false},
		"error zero":                       {"", `{"error":0}`, false},
		"error deeper":                     {"", `{"response":{"error":{"code":"x"}},"type":"response.created"}`, false},
		"error in a list":                  {"", `{"tools":[{"error":{"type":"error"}}]}`, false},
		"a delta":                          {"", `{"choices":[{"delta":{"content":"\"error\""},"finish_reason":null}]}`, false},
		"done":                             {"", `[DONE]`, false},
		"ping":                             {"ping", `{"type":"ping"}`, false},
		"response.incomplete":              {"response.incomplete", `{"type":"response.incomplete"}`, false},
		"nothing":                          {"", ``, false},
		"not JSON":                         {"", `"error"`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := IsError(tt.event, []byte(tt.data)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestErrorBodiesAreToldFromOthers(t *testing.T) {
	tests := map[string]struct {
		body string
		want bool
	}{
		"an error":                     {`{"error":{"message":"x","code":502}}`, true},
		"white space before it":        {"\n\n {\"error\":\"x\"}", true},
		"a list":                       {`[{"error":{"code":429}}]`, true},
		"an error beside a completion": {`{"id":"x","object":"chat.completion","choices":[],"error":{"code":429}}`, true},
		"a failed response":            {`{"id":"x","object":"response","status":"failed","error":{"code":"server_error"}}`, true},
		"an error object":              {`{"object":"error","error":{"code":1}}`, true},
		"a failed choice":              {`{"choices":[{"finish_reason":"error"}]}`, true},
		"MiniMax":                      {`{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, true},
		"a failed job":                 {`{"object":"fine_tuning.job","error":{"code":"x"}}`, false},
		"a completion":                 {`{"choices":[{"finish_reason":"stop"}]}`, false},
		"a moderation":                 {`{"results":[{"flagged":true}]}`, false},
		"empty list":                   {`[]`, false},
		"nothing":                      {``, false},
		"audio":                        {"\x00\x01\"error\"", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := IsErrorBody([]byte(tt.body)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheWalkOverMembersSurvivesBrokenJSON(t *testing.T) {
	tests := map[string]struct {
		in   string
		want string
	}{
		"object":            {`{"a":1,"b":{"c":[2,"}"]},"d":"\"e\\"}`, `a=1;b={"c":[2,"}"]};d="\"e\\";`},
		"list":              {` [1, {"a":2} ,null]`, `=1;={"a":2};=null;`},
		"white space":       {"{ \"a\" :\n1 , \"b\":2 }", `a=1;b=2;`},
		"truncated string":  {`{"a":"b`, `a="b;`},
		"truncated object":  {`{"a":{"b":1`, `a={"b":1;`},
		"truncated key":     {`{"a`, ``},
		"no value":          {`{"a":}`, ``},
		"a key without end": {`{"a\"`, ``},
		"no object":         {`7`, ``},
		"nothing":           {``, ``},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			m := jsonscan.MembersOf([]byte(tt.in))
			for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
				got.WriteString(string(key) + "=" + string(value) + ";")
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got.String(), tt.want)
			}
		})
	}
}
