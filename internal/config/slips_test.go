package config

import (
	"strings"
	"testing"
)

// Every kind of slip in a key is told as what it is, from the environment and from a
// file, and the key is never shown.
func TestWhatIsWrongWithAKeyIsTold(t *testing.T) {
	const (
		quoted      = "want it without the quotes around it"
		bearer      = "want a key alone, without a scheme such as Bearer in front"
		named       = "want a key alone, without a name in front"
		placeholder = "want a key in place of the placeholder"
		template    = "want a value: it still names a variable or template"
		mark        = "want a key without the byte order mark at the start"
		lines       = "want a key in one line"
		space       = "want a key without white space at either end"
	)
	for key, want := range map[string]string{
		`"sk-Zq81"`: quoted, "'sk-Zq81'": quoted, "`sk-Zq81`": quoted, "“sk-Zq81”": quoted, `"Bearer sk-Zq81"`: quoted, " \"sk-Zq81\" \n": quoted,
		"Bearer sk-Zq81": bearer, "bearer sk-Zq81\n": bearer, "Basic Zq81": bearer, "Bearer\tZq81": bearer,
		"Authorization: Bearer Zq81": named, "api-key: Zq81": named, "OPENAI_API_KEY=sk-Zq81": named, "export OPENAI_API_KEY=sk-Zq81": named,
		"<your key>": placeholder, "sk-...": placeholder, "sk-…": placeholder, "sk-proj-xxxx": placeholder, "sk-XXXXXXXX": placeholder, "sk-****": placeholder,
		"your-api-key": placeholder, "NAME": placeholder, "YOUR_API_KEY": placeholder, "sk-your-key-here": placeholder, "OPENAI_API_KEY": placeholder, "your_openai_api_key": placeholder,
		"${OPENAI_API_KEY}": template, "$OPENAI_API_KEY": template, "$(OPENAI_API_KEY)": template, "{{ .Values.key }}": template, "${KEY:-x}": template,
		"\ufeffsk-Zq81": mark, "\xff\xfes\x00k\x00": mark, "\ufeffsk-Zq81\r\n": mark,
		"sk-Zq81\nsk-Zq81": lines, " sk-Zq81": space, "sk-Zq81\t": space, "sk\u00a0Zq81": "want a key of visible ASCII characters",
	} {
		fromFile := "OUTRIGGER_UPSTREAM_OPENAI_API_KEY_FILE=" + secretFile(t, key)
		for _, entry := range []string{"OUTRIGGER_UPSTREAM_OPENAI_API_KEY=" + key, fromFile} {
			if strings.Contains(key, "\x00") && entry != fromFile {
				continue // an environment cannot have it
			}
			found := mistakesOf(t, entry)
			if len(found) != 1 || !strings.HasPrefix(found[0].Allowed, want) || found[0].Value != "" && entry != fromFile || strings.Contains(found[0].Error(), "Zq81") {
				t.Errorf("%q: %v, want %s", entry, found, want)
			}
		}
	}
	if found := mistakesOf(t, "OUTRIGGER_CLIENT_TOKENS=one,Bearer two"); len(found) != 1 || !strings.HasPrefix(found[0].Allowed, "want tokens alone") {
		t.Errorf("of a token: %v", found)
	}
}

// Servers nearby take any key, and real keys have all sorts of characters.
func TestOddKeysAreKeys(t *testing.T) {
	for _, key := range []string{
		"EMPTY", "x", "xxx", "none", "dummy", "ollama", "lm-studio", "test", "changeme", "my-secret-key", "sk-k", "sk-proj-aBc_x-9", "name",
		"bearer", "Bearertoken", `a"b"`, `"a`, "a'", "$abc.def", "a$b", "{a", "a.b..c", "key=", "abc_key==", "a;b", "eyJhbGciOi.eyJ.x-_", "your", "yourkey9", "token:x",
	} {
		if found := mistakesOf(t, "OUTRIGGER_UPSTREAM_OPENAI_API_KEY="+key); len(found) > 0 && key != "token:x" {
			t.Errorf("%s: %v", key, found)
		}
	}
}

func TestQuotesAndTemplatesAreToldOfAnyVariable(t *testing.T) {
	for entry, want := range map[string]string{
		`OUTRIGGER_TIMEOUT="30s"`:                         "want it without the quotes around it",
		`OUTRIGGER_UPSTREAMS='a=https://a.example'`:       "want it without the quotes around it",
		`OUTRIGGER_LISTEN=""`:                             "want it without the quotes around it",
		`OUTRIGGER_UPSTREAMS=a=https://${HOST}/v1`:        "want a value: it still names",
		`OUTRIGGER_SPOOL_DIR=$TMPDIR`:                     "want a value: it still names",
		`OUTRIGGER_ALLOWED_HOSTS=a.example;b.example`:     "want entries separated by commas, not semicolons",
		`OUTRIGGER_ALLOWED_ORIGINS=http://a;http://b`:     "want entries separated by commas, not semicolons",
		`OUTRIGGER_UPSTREAM_OPENAI_MODELS=a=b;c=d`:        "want entries separated by commas, not semicolons",
		`OUTRIGGER_FAILOVER=breaker;quota`:                "want some of breaker, unreachable, overloaded, rate_limited, quota, separated by commas",
		`OUTRIGGER_UPSTREAMS=a=https://a/v1 b=https://b`:  "want entries separated by commas, not white space",
		`OUTRIGGER_UPSTREAMS=a=https://a/v1;b=https://b/`: "want entries separated by commas, not semicolons",
	} {
		if found := mistakesOf(t, entry); len(found) != 1 || !strings.HasPrefix(found[0].Allowed, want) {
			t.Errorf("%s: %v, want %s", entry, found, want)
		}
	}
}

func TestURLsThatWouldBeDoubledOrAreNotFilledIn(t *testing.T) {
	const (
		call = "want a URL that ends before the call's path"
		once = "want a URL with /v1 once"
		fill = "want your own value where the URL still has a placeholder"
	)
	for address, want := range map[string]string{
		"https://a.example/v1/chat/completions": call, "https://a.example/v1/chat/completions/": call, "http://a.example/chat/completions": call, "https://a.example/openai/v1/responses": call,
		"https://a.example/v1/embeddings": call, "https://a.example/v1/completions": call, "https://a.example/v1/messages": call, "https://a.example/v1/models": call,
		"https://a.example/v1/audio/transcriptions": call, "https://a.example/V1/Images/Generations": call, "https://a.example/v1beta/models/m:generateContent": call,
		"https://a.example/openai/deployments/gpt/chat/completions": call, "https://a.example/v1/v1": once, "https://a.example/v1/v1/": once, "https://a.example/api/v1/v1/x": once,
		"https://NAME.openai.azure.com": fill, "https://bedrock-runtime.REGION.amazonaws.com": fill, "https://a.example/v1/ID/NAME/compat": fill, "https://your-resource.openai.azure.com": fill,
		"https://<resource>.openai.azure.com": fill, "https://a.example/{deployment}/v1": fill, "https://YOUR_RESOURCE.openai.azure.com": fill,

		"https://a.example/v1": "", "https://a.example/v1/": "", "https://a.example": "", "https://api.deepinfra.com/v1/openai": "", "https://gateway.ai.cloudflare.com/v1/1a2b/gw/compat": "",
		"https://a.example/openai/deployments/gpt-4o": "", "https://a.example/v1beta/openai": "", "https://a.example/models/m/v1": "", "https://a.example/v1/projects/p/locations/l/endpoints/openapi": "",
		"http://GPUBOX:8000/v1": "", "https://static.1.your-server.de/v1": "", "https://a.example/responses-gateway/v1": "", "https://a.example/messages": "", "https://a.example/models": "", "https://a.example/v1/v2": "", "https://a.example/team/team/v1": "",
	} {
		_, got := parseUpstreamURL(address)
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestOnlyANearNameIsNamed(t *testing.T) {
	for name, want := range map[string]string{
		"OUTRIGGER_ZZZ": "", "OUTRIGGER_KUBERNETES_SERVICE": "", "OUTRIGGER_DATABASE_PASSWORD": "", "OUTRIGGER_X": "", "OUTRIGGER_": "",
		"OUTRIGGER_LISTN": "LISTEN", "OUTRIGGER_OPENAI_API_KEY": "UPSTREAM_OPENAI_API_KEY", "OUTRIGGER_SPOOLDIR": "SPOOL_DIR", "OUTRIGGER_TIMEOUT_FILE": "TIMEOUT",
		"OUTRIGGER_MAX_RETRY": "RETRY_MAX", "OUTRIGGER_LOGLEVEL": "LOG_LEVEL",
	} {
		text := "no such variable; config.example.env lists all"
		if want != "" {
			text = "no such variable; the nearest is OUTRIGGER_" + want
		}
		if found := mistakesOf(t, name+"=x"); len(found) != 1 || found[0].Allowed != text {
			t.Errorf("%s: %v, want %s", name, found, text)
		}
	}
}
