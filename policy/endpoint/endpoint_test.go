package endpoint_test

import (
	"net/http"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// posts lists every path that the API description has a POST for, by what a
// lost answer to it must mean. It is written from the description, not from the table.
var posts = map[endpoint.Effect][]string{
	endpoint.Compute: {
		"chat/completions", "completions", "embeddings", "moderations",
		"images/generations", "images/edits", "images/variations",
		"audio/speech", "audio/transcriptions", "audio/translations",
		"responses", "responses/compact", "messages", "rerank", "decisions", "content_provenance_checks",
		"fine_tuning/alpha/graders/run", "fine_tuning/alpha/graders/validate",
	},
	endpoint.Read: {
		"responses/input_tokens", "messages/count_tokens", "vector_stores/vs_1/search", "search",
	},
	endpoint.Replace: {
		"uploads/upload_1/cancel", "batches/batch_1/cancel", "responses/resp_1/cancel",
		"fine_tuning/jobs/ft_1/cancel", "fine_tuning/jobs/ft_1/pause", "fine_tuning/jobs/ft_1/resume",
		"vector_stores/vs_1", "vector_stores/vs_1/files/file_1", "vector_stores/vs_1/file_batches/b_1/cancel",
		"assistants/asst_1", "threads/thread_1", "threads/thread_1/messages/msg_1",
		"threads/thread_1/runs/run_1", "threads/thread_1/runs/run_1/cancel",
		"conversations/conv_1", "chat/completions/chatcmpl_1", "evals/eval_1", "evals/eval_1/runs/run_1",
		"skills/skill_1", "audio/voice_consents/consent_1", "chatkit/sessions/sess_1/cancel",
		"messages/batches/b_1/cancel",
	},
	endpoint.Create: {
		"files", "uploads", "uploads/upload_1/parts", "uploads/upload_1/complete", "batches",
		"fine_tuning/jobs", "fine_tuning/checkpoints/c_1/permissions",
		"vector_stores", "vector_stores/vs_1/files", "vector_stores/vs_1/file_batches",
		"assistants", "threads", "threads/thread_1/messages", "threads/runs", "threads/thread_1/runs",
		"threads/thread_1/runs/run_1/submit_tool_outputs",
		"conversations", "conversations/conv_1/items", "containers", "containers/c_1/files",
		"evals", "evals/eval_1/runs", "videos", "videos/video_1/remix", "videos/edits", "videos/extensions",
		"videos/characters", "skills", "skills/skill_1/versions", "audio/voices", "audio/voice_consents",
		"realtime/calls", "realtime/calls/rtc_1/accept", "realtime/calls/rtc_1/refer",
		"realtime/calls/rtc_1/reject", "realtime/calls/rtc_1/hangup",
		"realtime/client_secrets", "realtime/translations/client_secrets",
		"realtime/sessions", "realtime/transcription_sessions", "chatkit/sessions",
		"live/sessions", "live/sessions/s_1/events", "agents", "agents/environments", "vaults", "vaults/v_1/secrets",
		"organization/invites", "organization/projects/p_1/users", "projects/p_1/service_accounts",
		"messages/batches", "models/ft:gpt/x",
	},
}

func TestAPostHasTheEffectThatTheDescriptionGivesIt(t *testing.T) {
	t.Parallel()
	for want, paths := range posts {
		for _, path := range paths {
			got := endpoint.Of(http.MethodPost, "/v1/"+path, endpoint.Facts{})
			if got.Effect != want {
				t.Errorf("POST %s: effect %v, want %v", path, got.Effect, want)
			}
			if got.Name == "other" {
				t.Errorf("POST %s is not in the table", path)
			}
		}
	}
}

func TestTheMethodAloneDecidesReadsAndReplacements(t *testing.T) {
	t.Parallel()
	methods := map[string]endpoint.Effect{
		http.MethodGet:     endpoint.Read,
		http.MethodHead:    endpoint.Read,
		http.MethodOptions: endpoint.Read,
		http.MethodPut:     endpoint.Replace,
		http.MethodDelete:  endpoint.Replace,
		http.MethodPatch:   endpoint.Create,
		http.MethodConnect: endpoint.Create,
		"get":              endpoint.Create, // methods are case-sensitive: RFC 9110, section 9.1
		"":                 endpoint.Create,
	}
	for method, want := range methods {
		for _, path := range []string{"/v1/files", "/v1/chat/completions", "/v1/batches/b/cancel", "/unheard/of", ""} {
			if got := endpoint.Of(method, path, endpoint.Facts{}).Effect; got != want {
				t.Errorf("%q %s: effect %v, want %v", method, path, got, want)
			}
		}
	}
}

func TestOfNamesTheEndpointItsEffectAndItsDialect(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, path string
		facts        endpoint.Facts
		want         endpoint.Endpoint
	}{
		"chat": {
			"POST", "/v1/chat/completions",
			endpoint.Facts{},
			endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat},
		},
		"chat that is stored": {
			"POST", "/v1/chat/completions",
			endpoint.Facts{Store: true},
			endpoint.Endpoint{"chat.completions", endpoint.Create, endpoint.Chat},
		},
		"chat is not changed by facts of other endpoints": {
			"POST", "/v1/chat/completions",
			endpoint.Facts{Background: true, Conversation: true, ActingTools: true},
			endpoint.Endpoint{"chat.completions", endpoint.Compute, endpoint.Chat},
		},
		"legacy completions": {
			"POST", "/v1/completions",
			endpoint.Facts{},
			endpoint.Endpoint{"completions", endpoint.Compute, endpoint.Completions},
		},
		"a response, which is stored by default": {
			"POST", "/v1/responses",
			endpoint.Facts{Store: true},
			endpoint.Endpoint{"responses", endpoint.Compute, endpoint.Responses},
		},
		"a response in the background": {
			"POST", "/v1/responses",
			endpoint.Facts{Background: true},
			endpoint.Endpoint{"responses", endpoint.Create, endpoint.Responses},
		},
		"a response that is a turn of a conversation": {
			"POST", "/v1/responses",
			endpoint.Facts{Conversation: true},
			endpoint.Endpoint{"responses", endpoint.Create, endpoint.Responses},
		},
		"a response whose tools act": {
			"POST", "/v1/responses",
			endpoint.Facts{ActingTools: true},
			endpoint.Endpoint{"responses", endpoint.Create, endpoint.Responses},
		},
		"a response resumed": {
			"GET", "/v1/responses/resp_1?stream=true&starting_after=7",
			endpoint.Facts{},
			endpoint.Endpoint{"responses", endpoint.Read, endpoint.Responses},
		},
		"an image whose background is transparency, not a job": {
			"POST", "/v1/images/generations",
			endpoint.Facts{Background: true},
			endpoint.Endpoint{"images.generations", endpoint.Compute, endpoint.Images},
		},
		"Anthropic messages": {
			"POST", "/v1/messages",
			endpoint.Facts{},
			endpoint.Endpoint{"messages", endpoint.Compute, endpoint.Messages},
		},
		"messages of a thread are another thing": {
			"POST", "/v1/threads/thread_1/messages",
			endpoint.Facts{},
			endpoint.Endpoint{"threads.messages", endpoint.Create, endpoint.Unknown},
		},
		"a run": {
			"POST", "/v1/threads/runs",
			endpoint.Facts{},
			endpoint.Endpoint{"threads.runs", endpoint.Create, endpoint.Assistants},
		},
		"a thread whose name is not a word of the table": {
			"DELETE", "/v1/threads/thread_runs",
			endpoint.Facts{},
			endpoint.Endpoint{"threads", endpoint.Replace, endpoint.Unknown},
		},
		"transcription": {
			"POST", "/v1/audio/transcriptions",
			endpoint.Facts{},
			endpoint.Endpoint{"audio.transcriptions", endpoint.Compute, endpoint.Transcriptions},
		},
		"speech": {
			"POST", "/v1/audio/speech",
			endpoint.Facts{},
			endpoint.Endpoint{"audio.speech", endpoint.Compute, endpoint.Speech},
		},
		"realtime connects by GET": {
			"GET", "/v1/realtime?model=gpt-realtime",
			endpoint.Facts{},
			endpoint.Endpoint{"realtime", endpoint.Read, endpoint.Unknown},
		},
		"a model whose name holds a slash": {
			"GET", "/v1/models/meta-llama/Llama-3.3-70B",
			endpoint.Facts{},
			endpoint.Endpoint{"models", endpoint.Read, endpoint.Unknown},
		},
		"a family covers what is below it": {
			"POST", "/v1/organization/projects/p/archive",
			endpoint.Facts{},
			endpoint.Endpoint{"organization", endpoint.Create, endpoint.Unknown},
		},
		"cancel below a family": {
			"POST", "/v1/agents/a_1/runs/r_1/cancel",
			endpoint.Facts{},
			endpoint.Endpoint{"agents", endpoint.Replace, endpoint.Unknown},
		},
		"an unlisted post creates": {
			"POST", "/v1/embeddings/new",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Create, endpoint.Unknown},
		},
		"an unlisted cancel": {
			"POST", "/v1/jobs/j_1/cancel/?why=not",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Replace, endpoint.Unknown},
		},
		"an unlisted search": {
			"POST", "/indexes/i/docs/search",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Read, endpoint.Unknown},
		},
		"an update that names its object by dots is none": {
			"POST", "/v1/threads/..",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Create, endpoint.Unknown},
		},
		"an escaped slash may hide another path": {
			"POST", "/v1/threads/x%2Fruns",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Create, endpoint.Unknown},
		},
		"a prefix of a listed path": {
			"POST", "/v1/chat",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Create, endpoint.Unknown},
		},
		"a base alone": {
			"POST", "/v1",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Create, endpoint.Unknown},
		},
		"nothing": {
			"GET", "",
			endpoint.Facts{},
			endpoint.Endpoint{"other", endpoint.Read, endpoint.Unknown},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := endpoint.Of(tt.method, tt.path, tt.facts); got != tt.want {
				t.Errorf("Of(%s %s, %+v) = %+v, want %+v", tt.method, tt.path, tt.facts, got, tt.want)
			}
		})
	}
}

func TestABaseChangesNothing(t *testing.T) {
	t.Parallel()
	bases := []string{
		"/", "/v1/", "/v2/", "/openai/", "/openai/v1/", "/openai/deployments/gpt-4o/", "/openai/deployments/v1/",
		"/openai/deployments/gpt-4o/extensions/", "/api/v1/", "/api/v3/", "/v1beta/openai/", "/v1/openai/",
		"/api/paas/v4/", "/api/coding/paas/v4/", "/inference/v1/", "/compatible-mode/v1/", "//v1//",
	}
	for effect, paths := range posts {
		for _, path := range paths {
			want := endpoint.Of(http.MethodPost, "/v1/"+path, endpoint.Facts{})
			for _, base := range bases {
				for _, end := range []string{"", "/", "?api-version=2026-01-01", "/?x=/cancel"} {
					got := endpoint.Of(http.MethodPost, base+path+end, endpoint.Facts{})
					if got != want || got.Effect != effect {
						t.Fatalf("POST %s%s%s = %+v, want %+v", base, path, end, got, want)
					}
				}
			}
		}
	}
}

func TestAnUnknownBaseIsNotGuessed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v9/chat/completions", "/x/v1/responses", "/v1/v1/embeddings"} {
		want := endpoint.Endpoint{Name: "other", Effect: endpoint.Create}
		if got := endpoint.Of(http.MethodPost, path, endpoint.Facts{}); got != want {
			t.Errorf("POST %s = %+v, want %+v", path, got, want)
		}
	}
}

func TestAPathParameterNeverReachesAName(t *testing.T) {
	t.Parallel()
	const id = "Qz7"
	for _, paths := range posts {
		for _, path := range paths {
			segments := strings.Split(path, "/")
			for i := range segments {
				changed := append([]string{}, segments...)
				changed[i] = id
				got := endpoint.Of(http.MethodGet, "/v1/"+strings.Join(changed, "/"), endpoint.Facts{})
				if strings.Contains(got.Name, id) {
					t.Errorf("GET %v is named %q", changed, got.Name)
				}
			}
		}
	}
}

func TestOfDoesNotAllocate(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/a/b/c/chat/completions", "/v1beta/models/m:generateContent", "/openai/deployments/x/chat/completions?v=1", "/no/such/path", "/v1/threads/t/runs/r/cancel/"} {
		if n := testing.AllocsPerRun(100, func() { sink = endpoint.Of(http.MethodPost, path, endpoint.Facts{Members: chatShape}) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", path, n)
		}
	}
}

func TestEnumsPrintInLowerCase(t *testing.T) {
	t.Parallel()
	effects := map[endpoint.Effect]string{
		endpoint.Read: "read", endpoint.Compute: "compute", endpoint.Replace: "replace", endpoint.Create: "create", 99: "unknown",
	}
	for e, want := range effects {
		if got := e.String(); got != want {
			t.Errorf("effect %d prints %q, want %q", e, got, want)
		}
	}
	dialects := map[endpoint.Dialect]string{
		endpoint.Unknown: "unknown", endpoint.Chat: "chat", endpoint.Completions: "completions",
		endpoint.Responses: "responses", endpoint.Messages: "messages", endpoint.Images: "images",
		endpoint.Transcriptions: "transcriptions", endpoint.Speech: "speech", endpoint.Assistants: "assistants", 99: "unknown",
	}
	for d, want := range dialects {
		if got := d.String(); got != want {
			t.Errorf("dialect %d prints %q, want %q", d, got, want)
		}
	}
}

var sink endpoint.Endpoint

func BenchmarkOf(b *testing.B) {
	for name, path := range map[string]string{
		"chat":    "/v1/chat/completions",
		"azure":   "/openai/deployments/gpt-4o/chat/completions",
		"deep":    "/v1/threads/thread_1/runs/run_1/steps/step_1",
		"missing": "/no/such/path",
	} {
		b.Run("path:"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = endpoint.Of(http.MethodPost, path, endpoint.Facts{})
			}
		})
	}
}
