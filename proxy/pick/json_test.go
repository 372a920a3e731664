package pick

import (
	"strings"
	"testing"

	"outrigger/internal/clip"
	"outrigger/policy/endpoint"
)

const jsonType = "application/json"

// picked feeds body in pieces of size bytes.
func picked(contentType string, body []byte, size int) Facts {
	p := New(contentType)
	for len(body) > 0 {
		n := min(size, len(body))
		_, _ = p.Write(body[:n])
		body = body[n:]
	}
	return p.Facts()
}

// wantFacts checks the facts of body fed whole, in two pieces split anywhere, and
// byte by byte.
func wantFacts(t *testing.T, contentType, body string, want Facts) {
	t.Helper()
	text := body[want.ModelStart:want.ModelEnd]
	if kept(text) != want.Model && want.ModelEnd > 0 && !strings.Contains(text, `\`) {
		t.Fatalf("the body has %q at [%d:%d]", text, want.ModelStart, want.ModelEnd)
	}
	for size := range len(body) {
		got := picked(contentType, []byte(body), size+1)
		got.Members = 0 // see TestAShapeIsThatOfAWhole
		if got != want {
			t.Errorf("in pieces of %d: %+v, want %+v", size+1, got, want)
			return
		}
	}
	for at := range len(body) {
		p := New(contentType)
		_, _ = p.Write([]byte(body[:at]))
		_, _ = p.Write([]byte(body[at:]))
		got := p.Facts()
		got.Members = 0
		if got != want {
			t.Errorf("split at %d: %+v, want %+v", at, got, want)
			return
		}
	}
}

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// jsonCases seed the fuzz test, too.
var jsonCases = map[string]struct {
	body string
	want Facts
}{
	"chat": {
		`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"stream":true,"max_tokens":100,"n":2}`,
		Facts{Model: "gpt-4o", ModelStart: 10, ModelEnd: 16, Stream: true, MaxTokens: 100, N: 2, PromptBytes: 10, Valid: true},
	},
	"white space everywhere": {
		"\r\n {\t\"model\" : \"m\" ,\n\"stream\" : true } \n",
		Facts{Model: "m", ModelStart: 16, ModelEnd: 17, Stream: true, Valid: true},
	},
	"empty object":     {`{}`, Facts{Valid: true}},
	"byte order mark":  {"\xEF\xBB\xBF{\"model\":\"m\"}", Facts{Model: "m", ModelStart: 13, ModelEnd: 14, Valid: true}},
	"late mark":        {" \xEF\xBB\xBF{\"model\":\"m\"}", Facts{}},
	"half a mark":      {"\xEF\xBB{}", Facts{}},
	"an array":         {`[{"model":"m"}]`, Facts{}},
	"a string":         {`"model"`, Facts{}},
	"nothing":          {``, Facts{}},
	"cut short":        {`{"model":"m","stream":true`, Facts{Model: "m", ModelStart: 10, ModelEnd: 11, Stream: true}},
	"cut in the model": {`{"stream":true,"model":"gpt-`, Facts{Stream: true}},
	"cut in a number":  {`{"max_tokens":12`, Facts{}},
	"broken later":     {`{"model":"m","stream":true,oops}`, Facts{Model: "m", ModelStart: 10, ModelEnd: 11, Stream: true}},
	"more after it":    {`{"model":"m"}x`, Facts{Model: "m", ModelStart: 10, ModelEnd: 11}},
	"wrong bracket":    {`{"stream":true,"x":[1}]}`, Facts{Stream: true}},
	"trailing comma":   {`{"stream":true,}`, Facts{Stream: true}},
	"control character in a string": {
		"{\"stream\":true,\"model\":\"a\nb\"}", Facts{Stream: true},
	},
	"DEL and high bytes are text": {
		"{\"model\":\"a\x7fé\"}", Facts{Model: "a\x7fé", ModelStart: 10, ModelEnd: 14, Valid: true},
	},

	"escaped model":        {`{"model":"gpt\u002d4\/\n"}`, Facts{Model: "gpt-4/\n", ModelStart: 10, ModelEnd: 24, Valid: true}},
	"model beyond the BMP": {`{"model":"\ud83d\ude00"}`, Facts{Model: "😀", ModelStart: 10, ModelEnd: 22, Valid: true}},
	"lone surrogates": {
		`{"model":"\ud83dx\ude00\ud83d\ud83d\ude00\ud83d\n\ud83d"}`,
		Facts{Model: "\uFFFDx\uFFFD\uFFFD😀\uFFFD\n\uFFFD", ModelStart: 10, ModelEnd: 55, Valid: true},
	},
	"bad escape":           {`{"stream":true,"model":"\x"}`, Facts{Stream: true}},
	"bad hex":              {`{"stream":true,"model":"\u00g0"}`, Facts{Stream: true}},
	"model of stray bytes": {"{\"model\":\"a\xFF\xC3\"}", Facts{Model: "a\uFFFD\uFFFD", Valid: true}},
	"empty model":          {`{"model":""}`, Facts{Valid: true}},
	"model of 256 bytes": {
		`{"model":"` + strings.Repeat("m", 256) + `"}`,
		Facts{Model: strings.Repeat("m", 256), ModelStart: 10, ModelEnd: 266, Valid: true},
	},
	"model of 257 bytes": {`{"model":"` + strings.Repeat("m", 257) + `"}`, Facts{Model: clip.Text(strings.Repeat("m", 257), MaxModel), ModelStart: 10, ModelEnd: 267, Valid: true}},
	"model cut in a character": {
		`{"model":"` + strings.Repeat("m", 255) + `€€"}`, Facts{Model: clip.Text(strings.Repeat("m", 255)+"€€", MaxModel), ModelStart: 10, ModelEnd: 271, Valid: true},
	},
	"long model ending in a whole character": {
		`{"model":"` + strings.Repeat("m", 253) + `€€"}`, Facts{Model: clip.Text(strings.Repeat("m", 253)+"€€", MaxModel), ModelStart: 10, ModelEnd: 269, Valid: true},
	},
	"service tier":              {`{"service_tier":"flex","model":"m","x":{"service_tier":"no"}}`, Facts{Model: "m", ModelStart: 32, ModelEnd: 33, Tier: "flex", Valid: true}},
	"the last of two tiers":     {`{"service_tier":"flex","service_tier":null}`, Facts{Valid: true}},
	"service tier is no name":   {`{"service_tier":"a b"}`, Facts{Valid: true}},
	"service tier of 24 bytes":  {`{"service_tier":"abcdefghijklmnopqrstuvwx"}`, Facts{Tier: "abcdefghijklmnopqrstuvwx", Valid: true}},
	"service tier of 25 bytes":  {`{"service_tier":"abcdefghijklmnopqrstuvwxy"}`, Facts{Valid: true}},
	"service tier is an object": {`{"service_tier":{"service_tier":"flex"}}`, Facts{Valid: true}},
	"model is no string":        {`{"model":7,"stream":true}`, Facts{Stream: true, Valid: true}},
	"key with escapes":          {`{"mod\u0065l":"m","\u0073tream":true}`, Facts{Model: "m", ModelStart: 15, ModelEnd: 16, Stream: true, Valid: true}},
	"an escape elsewhere":       {`{"model":"m","x\u0041":"\n"}`, Facts{Model: "m", ModelStart: 10, ModelEnd: 11, Valid: true}},
	"keys have case":            {`{"Model":"m","STREAM":true}`, Facts{Valid: true}},
	"key longer than any":       {`{"max_completion_tokens_or_more":5,"modelmodelmodelmodelmodelmodel":"m"}`, Facts{Valid: true}},
	"nested keys do not count": {
		`{"metadata":{"model":"x","stream":true,"n":3,"store":true},"a":[{"max_tokens":4}]}`, Facts{Valid: true},
	},
	"the last of two counts": {
		`{"model":"a","model":"b","stream":true,"stream":false,"max_tokens":1,"max_tokens":2,"store":true,"store":null}`,
		Facts{Model: "b", ModelStart: 22, ModelEnd: 23, MaxTokens: 2, Valid: true},
	},
	"a last one of another type takes the first away": {
		`{"model":"a","model":null,"stream":true,"stream":"x","n":2,"n":[3],"conversation":"c","conversation":null}`,
		Facts{Valid: true},
	},
	"the last prompt counts": {
		`{"input":"twelve bytes","input":"four","tools":[{"type":"mcp"}],"tools":[]}`, Facts{PromptBytes: 4, Valid: true},
	},

	"stream is a string": {`{"stream":"true"}`, Facts{Valid: true}},
	"misspelt literal":   {`{"store":true,"stream":trux}`, Facts{Facts: endpoint.Facts{Store: true}}},
	"all flags": {
		`{"store":true,"background":true,"conversation":{"id":"conv_1"},"previous_response_id":"resp_1"}`,
		Facts{Facts: endpoint.Facts{Store: true, Background: true, Conversation: true}, Valid: true},
	},
	"no flags": {
		`{"store":false,"background":"transparent","conversation":null}`, Facts{Valid: true},
	},
	"conversation as a string": {`{"conversation":"conv_1"}`, Facts{Facts: endpoint.Facts{Conversation: true}, Valid: true}},
	"conversation as anything": {`{"conversation":[null]}`, Facts{Facts: endpoint.Facts{Conversation: true}, Valid: true}},

	"data as a list is text": {`{"input":[{"data":["abc"]},"de"],"prompt":[{"x":{"data":"no"}},"fgh"]}`, Facts{PromptBytes: 8, Valid: true}},
	"the largest limit":      {`{"max_tokens":5,"max_completion_tokens":70,"max_output_tokens":6}`, Facts{MaxTokens: 70, Valid: true}},
	"whole floats":           {`{"max_tokens":1e3,"n":2.0}`, Facts{MaxTokens: 1000, N: 2, Valid: true}},
	"not whole":              {`{"max_tokens":10.5,"n":1.5}`, Facts{Valid: true}},
	"negative":               {`{"max_tokens":-5,"n":-1}`, Facts{Valid: true}},
	"zero":                   {`{"max_tokens":0,"n":0}`, Facts{Valid: true}},
	"absurd":                 {`{"max_tokens":10000001,"n":129}`, Facts{Valid: true}},
	"at the edge of absurd":  {`{"max_tokens":10000000,"n":128}`, Facts{MaxTokens: 10_000_000, N: 128, Valid: true}},
	"beyond every float":     {`{"max_tokens":1e999,"n":1e-999}`, Facts{Valid: true}},
	"longer than any number": {`{"max_tokens":1.0000000000000000000000000,"n":5}`, Facts{N: 5, Valid: true}},
	"as strings":             {`{"max_tokens":"100","n":"2"}`, Facts{Valid: true}},
	"leading zero":           {`{"stream":true,"n":01}`, Facts{Stream: true}},
	"two points":             {`{"stream":true,"n":1.5.2}`, Facts{Stream: true}},
	"bare minus":             {`{"stream":true,"n":-}`, Facts{Stream: true}},
	"bare point":             {`{"stream":true,"n":1.}`, Facts{Stream: true}},
	"bare exponent":          {`{"stream":true,"n":1e}`, Facts{Stream: true}},
	"bare sign":              {`{"stream":true,"n":1e+}`, Facts{Stream: true}},
	"all of a number":        {`{"x":-0.50E+02,"y":0,"z":[-1e-7,12]}`, Facts{Valid: true}},

	"tool that acts": {
		`{"tools":[{"type":"function","name":"f"},{"server_url":"u","type":"mcp"}]}`,
		Facts{PromptBytes: 8 + 1 + 1 + 3, Facts: endpoint.Facts{ActingTools: true}, Valid: true},
	},
	"tool with a long name that acts": {
		`{"tools":[{"type":"browser_automation_preview"}]}`,
		Facts{PromptBytes: 26, Facts: endpoint.Facts{ActingTools: true}, Valid: true},
	},
	"tools that do not act": {
		`{"tools":[{"type":"function","function":{"type":"mcp"}},{"type":"web_search_preview"},{"type":"file_search"}]}`,
		Facts{PromptBytes: 8 + 3 + 18 + 11, Valid: true},
	},
	"a tool's last type counts": {
		`{"tools":[{"type":"mcp","type":"function"},{"type":"mcp","type":null}]}`,
		Facts{PromptBytes: 3 + 8 + 3, Valid: true},
	},
	"a tool cut off is not counted": {`{"tools":[{"type":"mcp"`, Facts{PromptBytes: 3}},
	"a type that is not a tool's": {
		`{"tools":{"x":{"type":"mcp"}},"tool_choice":{"type":"mcp"}}`, Facts{PromptBytes: 3, Valid: true},
	},
	"servers of the messages API": {
		`{"mcp_servers":[{"type":"url","url":"https://x"}]}`, Facts{Facts: endpoint.Facts{ActingTools: true}, Valid: true},
	},
	"no servers": {`{"mcp_servers":[]}`, Facts{Valid: true}},

	"Responses input": {
		`{"input":[{"role":"user","content":[{"type":"input_text","text":"Hi\u00e9\n"}]}],"instructions":"Be brief."}`,
		Facts{PromptBytes: 4 + 10 + 5 + 9, Valid: true},
	},
	"input as one string": {`{"input":"你好"}`, Facts{PromptBytes: 6, Valid: true}},
	"the same, escaped":   {`{"input":"\u4f60\u597d"}`, Facts{PromptBytes: 6, Valid: true}},
	"embeddings of texts": {`{"input":["one","three"]}`, Facts{PromptBytes: 8, Valid: true}},
	"embeddings of tokens": {
		`{"input":[1,22,333],"dimensions":1024}`, Facts{PromptBytes: 12, Valid: true},
	},
	"embeddings of lists of tokens": {`{"input":[[1,2],[3]]}`, Facts{PromptBytes: 12, Valid: true}},
	"numbers in messages are none":  {`{"input":[{"x":1,"y":[2]}],"messages":[1]}`, Facts{Valid: true}},
	"texts elsewhere":               {`{"user":"abc","metadata":{"a":"b"}}`, Facts{Valid: true}},

	"image in chat": {
		`{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`,
		Facts{PromptBytes: 9, Images: 1, Valid: true},
	},
	"image by URL": {
		`{"messages":[{"content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}]}`,
		Facts{PromptBytes: 9 + 11, Images: 1, Valid: true},
	},
	"images in Responses": {
		`{"input":[{"content":[{"type":"input_image","image_url":"data:image/jpeg;base64,/9j/"},{"type":"input_image","file_id":"f"}]}]}`,
		Facts{PromptBytes: 11 + 11 + 1, Images: 2, Valid: true},
	},
	"image in messages": {
		`{"messages":[{"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}`,
		Facts{PromptBytes: 5 + 6 + 9, Images: 1, Valid: true},
	},
	"image without a type": {`{"images":[{"image_url":"data:image/png;base64,AAAA"}]}`, Facts{Images: 1, Valid: true}},
	"a file is no image":   {`{"input":[{"file_data":"data:application/pdf;base64,JVBE","x":"data:a/b;base64,JVBE"}]}`, Facts{Valid: true}},
	"text that begins alike": {
		`{"input":["data: 1,2","data:image/png,x","data:image/png;base64 ,","data:","data"]}`,
		Facts{PromptBytes: 9 + 16 + 23 + 5 + 4, Valid: true},
	},
	"data URL with escapes": {`{"input":["data:image\/png;base64,AA\/\/"]}`, Facts{Images: 1, Valid: true}},
	"data URL with a long media type": {
		`{"input":["data:image/` + strings.Repeat("x", 110) + `;base64,AA"]}`, Facts{Images: 1, Valid: true},
	},
	"data URL with a media type that never ends": {
		`{"input":["data:image/` + strings.Repeat("x", 111) + `;base64,AA"]}`, Facts{PromptBytes: 132, Valid: true},
	},
	"an image type in a tool's schema": {`{"tools":[{"type":"function","x":{"type":"image"}}]}`, Facts{PromptBytes: 13, Valid: true}},

	"as deep as allowed": {`{"stream":true,"x":` + deep(maxDepth-1) + `}`, Facts{Stream: true, Valid: true}},
	"deeper":             {`{"stream":true,"x":` + deep(maxDepth) + `,"n":2}`, Facts{Stream: true}},
}

// geminiCases are bodies of Google's own API.
var geminiCases = map[string]struct {
	body string
	want Facts
}{
	"generateContent": {
		`{"systemInstruction":{"parts":[{"text":"Be kind."}]},"contents":[{"role":"user","parts":[{"text":"hello"},` +
			`{"inlineData":{"mimeType":"image/png","data":"AAAAAAAA"}}]}],"generationConfig":{"temperature":1,"maxOutputTokens":100,"candidateCount":2}}`,
		Facts{MaxTokens: 100, N: 2, PromptBytes: 8 + 4 + 5 + 9, Images: 1, Valid: true},
	},
	"in the other case": {
		`{"system_instruction":{"parts":{"text":"Be kind."}},"generation_config":{"max_output_tokens":7},"contents":[]}`,
		Facts{MaxTokens: 7, PromptBytes: 8, Valid: true},
	},
	"a recording is no image": {
		`{"contents":[{"parts":[{"inline_data":{"mime_type":"audio/wav","data":"AAAA"}}]}]}`, Facts{PromptBytes: 9, Valid: true},
	},
	"an embedding":    {`{"content":{"parts":[{"text":"four"}]}}`, Facts{PromptBytes: 4, Valid: true}},
	"several of them": {`{"requests":[{"content":{"parts":[{"text":"four"}]}},{"content":{"parts":[{"text":"five!"}]}}]}`, Facts{PromptBytes: 9, Valid: true}},
	"a limit elsewhere": {
		`{"maxOutputTokens":1,"generationConfig":{"thinkingConfig":{"maxOutputTokens":2},"stopSequences":["3"]}}`, Facts{Valid: true},
	},
	"the last of two limits": {
		`{"generationConfig":{"maxOutputTokens":5,"maxOutputTokens":"6"}}`, Facts{Valid: true},
	},
	"the last of two configurations": {
		`{"generationConfig":{"maxOutputTokens":5},"generationConfig":{"maxOutputTokens":6}}`, Facts{MaxTokens: 6, Valid: true},
	},
}

func TestGeminiFactsInAnySplit(t *testing.T) {
	for name, tt := range geminiCases {
		t.Run(name, func(t *testing.T) { wantFacts(t, jsonType, tt.body, tt.want) })
	}
}

func TestJSONFactsInAnySplit(t *testing.T) {
	for name, tt := range jsonCases {
		t.Run(name, func(t *testing.T) { wantFacts(t, jsonType, tt.body, tt.want) })
	}
}

func TestContentTypeDecidesWhoReads(t *testing.T) {
	const body = `{"model":"m"}`
	read := Facts{Model: "m", ModelStart: 10, ModelEnd: 11, Valid: true}
	tests := map[string]struct {
		contentType string
		want        Facts
	}{
		"JSON":                      {"application/json", read},
		"JSON with a charset":       {"Application/JSON; charset=utf-8", read},
		"JSON with bad parameters":  {"application/json; ;;=", read},
		"a JSON dialect":            {"application/vnd.api+json", read},
		"none":                      {"", read},
		"lines of JSON":             {"application/jsonl", Facts{}},
		"or so":                     {"application/x-ndjson", Facts{}},
		"plain text":                {"text/plain", read},
		"octets":                    {"application/octet-stream", read},
		"curl's":                    {"application/x-www-form-urlencoded", read},
		"a form that is none":       {"multipart/form-data; boundary=x", Facts{}},
		"a form without a boundary": {"multipart/form-data", read},
		"another multipart":         {"multipart/mixed; boundary=x", read},
		"nonsense":                  {"/;/", read},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantFacts(t, tt.contentType, body, tt.want) })
	}
}

func TestAnotherLabelNeedsAWholeObject(t *testing.T) {
	for _, body := range []string{
		`{"model":"m"`, `{"model":"m"}x`, `["m"]`, `"m"`, `model=m&stream=true`, "{\"model\":\"m\"}\n{\"model\":\"m\"}\n", "\x1f\x8b\x08", "",
	} {
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/octet-stream"} {
			if got := picked(kind, []byte(body), len(body)+1); got != (Facts{}) {
				t.Errorf("%s %q has facts: %+v", kind, body, got)
			}
		}
	}
}

func TestAShapeIsThatOfAWhole(t *testing.T) {
	const all = endpoint.HasModel | endpoint.HasMessages | endpoint.HasMaxTokens
	for body, want := range map[string]endpoint.Members{
		`{"model":"m","messages":[],"max_tokens":1}`:                 all,
		`{"model":"m","messages":[],"max_tokens":1`:                  0,
		`{"model":"","messages":{},"max_tokens":null}`:               0,
		`{"model":"m","messages":[],"messages":null,"model":7}`:      0,
		`{"x":{"model":"m","messages":[],"max_tokens":1}}`:           0,
		`{"messages":[{"model":"m"}],"input":"","prompt":[]}`:        endpoint.HasMessages | endpoint.HasInput | endpoint.HasPrompt,
		`{"query":"q","documents":["d"],"input":null,"prompt":null}`: endpoint.HasQuery | endpoint.HasDocuments,
		`{"\u006dessages":[],"model":"m"}`:                           endpoint.HasModel | endpoint.HasMessages,
	} {
		if got := picked(jsonType, []byte(body), 3).Members; got != want {
			t.Errorf("%s: %b, want %b", body, got, want)
		}
	}
}

func TestTokensAddInputAndOutput(t *testing.T) {
	tests := map[string]struct {
		facts Facts
		want  int
	}{
		"nothing":                {Facts{}, 0},
		"a prompt":               {Facts{PromptBytes: 400}, 100},
		"a prompt and its limit": {Facts{PromptBytes: 400, MaxTokens: 50}, 150},
		"several choices":        {Facts{PromptBytes: 400, MaxTokens: 50, N: 3}, 250},
		"images":                 {Facts{Images: 2, N: 3}, 1530},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.facts.Tokens(); got != tt.want {
				t.Errorf("Tokens() = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestToolTypesThatAct(t *testing.T) {
	for toolType, want := range map[string]bool{
		"mcp": true, "mcp_toolset": true, "computer_use_preview": true, "computer": true, "shell": true,
		"local_shell": true, "code_interpreter": true, "code_execution_20250522": true, "openapi": true,
		"azure_function": true, "browser_automation_preview": true, "a2a_preview": true,
		"function": false, "custom": false, "file_search": false, "web_search_2025_08_26": false,
		"image_generation": false, "apply_patch": false, "": false, "mc": false,
	} {
		if got := acts([]byte(toolType)); got != want {
			t.Errorf("acts(%q) = %t, want %t", toolType, got, want)
		}
	}
}
