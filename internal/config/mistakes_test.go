package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// mistakesOf loads environ and returns what is wrong with it.
func mistakesOf(t *testing.T, environ ...string) []Mistake {
	t.Helper()
	_, err := Load(environ)
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T joins nothing", err)
	}
	var all []Mistake
	for _, e := range joined.Unwrap() {
		var m Mistake
		if !errors.As(e, &m) {
			t.Fatalf("%T is no Mistake", e)
		}
		all = append(all, m)
	}
	return all
}

func TestEveryMistakeIsNamed(t *testing.T) {
	const (
		tokensWanted = "want at least one: OUTRIGGER_LISTEN, which is 0.0.0.0:8383, is not a loopback address, and everybody who reaches it would use the key of upstream openai"
		urlWanted    = "want a URL such as https://api.openai.com"
		hostPort     = "want host:port, such as 127.0.0.1:8383 or :8383"
		listWanted   = "want a list separated by commas, without empty entries, or off"
		originWanted = "want origins as browsers send them, such as https://app.example.com or http://localhost:3000: lower case, no path, no default port"
		keyWanted    = "want a key: the caller's own is for the host of upstream a and is not sent to this one. " +
			"Or set OUTRIGGER_UPSTREAM_B_CALLER_KEY: send if both hosts know the same keys, drop if this one asks for none; or " +
			"OUTRIGGER_FAILOVER=none if it is only called as /@b/"
		pairsWanted = "want name=value, or several separated by commas, or off"
	)
	for name, tt := range map[string]struct {
		environ string // separated by |
		want    []Mistake
	}{
		"duration without a unit":    {"OUTRIGGER_TIMEOUT=5", []Mistake{{"OUTRIGGER_TIMEOUT", "5", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"}}},
		"duration that is too short": {"OUTRIGGER_TIMEOUT=1ms", []Mistake{{"OUTRIGGER_TIMEOUT", "1ms", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"}}},
		"duration that is too long":  {"OUTRIGGER_TIMEOUT=25h", []Mistake{{"OUTRIGGER_TIMEOUT", "25h", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"}}},
		"duration below zero":        {"OUTRIGGER_QUEUE_TIMEOUT=-1s", []Mistake{{"OUTRIGGER_QUEUE_TIMEOUT", "-1s", "want a duration such as 500ms, 30s or 10m, or off"}}},
		"off where nothing is off":   {"OUTRIGGER_TIMEOUT=off", []Mistake{{"OUTRIGGER_TIMEOUT", "off", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"}}},
		"white space":                {"OUTRIGGER_TIMEOUT= ", []Mistake{{"OUTRIGGER_TIMEOUT", " ", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"}}},
		"no number":                  {"OUTRIGGER_RETRY_MAX=many", []Mistake{{"OUTRIGGER_RETRY_MAX", "many", "want a whole number, from 0 to 100, or off"}}},
		"half a number":              {"OUTRIGGER_RETRY_MAX=1.5", []Mistake{{"OUTRIGGER_RETRY_MAX", "1.5", "want a whole number, from 0 to 100, or off"}}},
		"a negative number":          {"OUTRIGGER_RETRY_MAX=-1", []Mistake{{"OUTRIGGER_RETRY_MAX", "-1", "want a whole number, from 0 to 100, or off"}}},
		"a number beyond 64 bits":    {"OUTRIGGER_TPM=9999999999999999999", []Mistake{{"OUTRIGGER_TPM", "9999999999999999999", "want a whole number, from 0 to 1000000000000"}}},
		"not a number":               {"OUTRIGGER_RETRY_BUDGET=NaN", []Mistake{{"OUTRIGGER_RETRY_BUDGET", "NaN", "want a number, from 0 to 100"}}},
		"an infinite number":         {"OUTRIGGER_BREAKER_RATIO=+Inf", []Mistake{{"OUTRIGGER_BREAKER_RATIO", "+Inf", "want a number, from 0 to 1, or off"}}},
		"no size":                    {"OUTRIGGER_SPOOL_MAX=1Gi", []Mistake{{"OUTRIGGER_SPOOL_MAX", "1Gi", "want a size such as 4096, 64KiB or 1GB, from 0 to 1024TiB"}}},
		"a negative size":            {"OUTRIGGER_SPOOL_MAX=-1", []Mistake{{"OUTRIGGER_SPOOL_MAX", "-1", "want a size such as 4096, 64KiB or 1GB, from 0 to 1024TiB"}}},
		"a size that is too large":   {"OUTRIGGER_SPOOL_MAX=1025TiB", []Mistake{{"OUTRIGGER_SPOOL_MAX", "1025TiB", "want a size such as 4096, 64KiB or 1GB, from 0 to 1024TiB"}}},
		"no truth":                   {"OUTRIGGER_LEARN=maybe", []Mistake{{"OUTRIGGER_LEARN", "maybe", "want true or false"}}},
		"no such word":               {"OUTRIGGER_LOG_LEVEL=info+2", []Mistake{{"OUTRIGGER_LOG_LEVEL", "info+2", "want one of debug, info, warn, error"}}},
		"no such mode":               {"OUTRIGGER_RETRY_CREATES=never", []Mistake{{"OUTRIGGER_RETRY_CREATES", "never", "want one of unambiguous, always"}}},
		"no port":                    {"OUTRIGGER_LISTEN=127.0.0.1", []Mistake{{"OUTRIGGER_LISTEN", "127.0.0.1", hostPort}}},
		"port out of range":          {"OUTRIGGER_LISTEN=127.0.0.1:65536", []Mistake{{"OUTRIGGER_LISTEN", "127.0.0.1:65536", hostPort}}},
		"port by name":               {"OUTRIGGER_LISTEN=127.0.0.1:http", []Mistake{{"OUTRIGGER_LISTEN", "127.0.0.1:http", hostPort}}},
		"address with a scheme":      {"OUTRIGGER_LISTEN=http://127.0.0.1:8383", []Mistake{{"OUTRIGGER_LISTEN", "http://127.0.0.1:8383", hostPort}}},
		"host that is none":          {"OUTRIGGER_LISTEN=a b:1", []Mistake{{"OUTRIGGER_LISTEN", "a b:1", hostPort}}},
		"traffic listener off":       {"OUTRIGGER_LISTEN=off", []Mistake{{"OUTRIGGER_LISTEN", "off", hostPort}}},
		"admin address":              {"OUTRIGGER_ADMIN_LISTEN=8384", []Mistake{{"OUTRIGGER_ADMIN_LISTEN", "8384", "want host:port, such as 127.0.0.1:8384 or :8384, or off"}}},
		"the same address twice":     {"OUTRIGGER_ADMIN_LISTEN=localhost:8383", []Mistake{{"OUTRIGGER_ADMIN_LISTEN", "localhost:8383", "want another port than that of OUTRIGGER_LISTEN, which is 127.0.0.1:8383"}}},
		"base over cap":              {"OUTRIGGER_RETRY_BASE=17s", []Mistake{{"OUTRIGGER_RETRY_BASE", "17s", "want at most OUTRIGGER_RETRY_CAP, which is 16s"}}},
		"base and no cap":            {"OUTRIGGER_RETRY_BASE=9s|OUTRIGGER_RETRY_CAP=x", []Mistake{{"OUTRIGGER_RETRY_CAP", "x", "want a duration such as 500ms, 30s or 10m, from 0s to 10m"}}},
		"body memory over body max":  {"OUTRIGGER_BODY_MAX=1KiB", []Mistake{{"OUTRIGGER_BODY_MEMORY", "1MiB", "want at most OUTRIGGER_BODY_MAX, which is 1KiB"}}},
		"no spool directory":         {"OUTRIGGER_SPOOL_DIR=/nowhere", []Mistake{{"OUTRIGGER_SPOOL_DIR", "/nowhere", "want a directory that files can be written in: no such file or directory"}}},
		"a file as spool directory":  {"OUTRIGGER_SPOOL_DIR=config.go", []Mistake{{"OUTRIGGER_SPOOL_DIR", "config.go", "want a directory that files can be written in: not a directory"}}},

		"an empty token":               {"OUTRIGGER_CLIENT_TOKENS=one,,two", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", listWanted}}},
		"a token no header can carry":  {"OUTRIGGER_CLIENT_TOKENS=one,t wo", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", "want tokens of visible ASCII characters"}}},
		"a named token in two lines":   {"OUTRIGGER_CLIENT_TOKENS=one,web:two\r\nthree", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", "want tokens in one line, without line breaks"}}},
		"a named token yet to come":    {"OUTRIGGER_CLIENT_TOKENS=web:<your token>", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", "want tokens in place of the placeholder that stands there"}}},
		"no such priority":             {"OUTRIGGER_PRIORITY_DEFAULT=urgent", []Mistake{{"OUTRIGGER_PRIORITY_DEFAULT", "urgent", "want one of high, normal, low"}}},
		"no such priority of a token":  {"OUTRIGGER_CLIENT_TOKENS=web:t|OUTRIGGER_TOKEN_PRIORITIES=web=urgent", []Mistake{{"OUTRIGGER_TOKEN_PRIORITIES", "web=urgent", "want name=priority with high, normal or low, or several separated by commas, or off"}}},
		"priority of no token":         {"OUTRIGGER_CLIENT_TOKENS=web:t,plain|OUTRIGGER_TOKEN_PRIORITIES=web=high,batch=low", []Mistake{{"OUTRIGGER_TOKEN_PRIORITIES", "batch", "want the names of tokens in OUTRIGGER_CLIENT_TOKENS, where one is name:token"}}},
		"two priorities of a token":    {"OUTRIGGER_CLIENT_TOKENS=web:t,web:u|OUTRIGGER_TOKEN_PRIORITIES=web=high,web=low", []Mistake{{"OUTRIGGER_TOKEN_PRIORITIES", "web", "want each name once"}}},
		"origin with a path":           {"OUTRIGGER_ALLOWED_ORIGINS=https://a.example/", []Mistake{{"OUTRIGGER_ALLOWED_ORIGINS", "https://a.example/", originWanted}}},
		"any origin":                   {"OUTRIGGER_ALLOWED_ORIGINS=*", []Mistake{{"OUTRIGGER_ALLOWED_ORIGINS", "*", originWanted}}},
		"host with a port":             {"OUTRIGGER_ALLOWED_HOSTS=a.example,b.example:80", []Mistake{{"OUTRIGGER_ALLOWED_HOSTS", "b.example:80", "want host names or addresses, without scheme and port"}}},
		"key on all addresses":         {"OUTRIGGER_LISTEN=0.0.0.0:8383|OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-k", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", tokensWanted}}},
		"key in a header":              {"OUTRIGGER_LISTEN=0.0.0.0:8383|OUTRIGGER_UPSTREAM_OPENAI_HEADERS=authorization=Bearer sk-k", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", tokensWanted}}},
		"key in the query":             {"OUTRIGGER_LISTEN=0.0.0.0:8383|OUTRIGGER_UPSTREAM_OPENAI_QUERY=key=k", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", tokensWanted}}},
		"key and tokens switched off":  {"OUTRIGGER_LISTEN=0.0.0.0:8383|OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-k|OUTRIGGER_CLIENT_TOKENS=off", []Mistake{{"OUTRIGGER_CLIENT_TOKENS", "", tokensWanted}}},
		"key with white space":         {"OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-k\n", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_API_KEY", "", "want a key in one line, without line breaks"}}},
		"auth header that is none":     {"OUTRIGGER_UPSTREAM_OPENAI_AUTH_HEADER=Authorization: Bearer sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_AUTH_HEADER", "", "want the name of a header, such as Authorization or api-key"}}},
		"auth header of the transport": {"OUTRIGGER_UPSTREAM_OPENAI_AUTH_HEADER=host", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_AUTH_HEADER", "", "want the name of a header, such as Authorization or api-key"}}},
		"headers without equals sign":  {"OUTRIGGER_UPSTREAM_OPENAI_HEADERS=X-Key: sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_HEADERS", "", pairsWanted}}},
		"header name that is none":     {"OUTRIGGER_UPSTREAM_OPENAI_HEADERS=X Key=sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_HEADERS", "", "want names and values of headers that may be set"}}},
		"header value that is none":    {"OUTRIGGER_UPSTREAM_OPENAI_HEADERS=X-Key=sk\r\nX-Other: k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_HEADERS", "", "want names and values of headers that may be set"}}},
		"header of the transport":      {"OUTRIGGER_UPSTREAM_OPENAI_HEADERS=Content-Length=5", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_HEADERS", "", "want names and values of headers that may be set"}}},
		"query without equals sign":    {"OUTRIGGER_UPSTREAM_OPENAI_QUERY=sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_QUERY", "", pairsWanted}}},

		"two upstreams, one without a key": {
			"OUTRIGGER_UPSTREAMS=a=https://a.example,b=https://b.example|OUTRIGGER_UPSTREAM_B_RPM=x",
			[]Mistake{{"OUTRIGGER_UPSTREAM_B_RPM", "x", "want a whole number, from 0 to 1000000000"}, {"OUTRIGGER_UPSTREAM_B_API_KEY", "", keyWanted}},
		},
		"one host, and less safely": {
			"OUTRIGGER_UPSTREAMS=a=https://a.example,b=http://a.example",
			[]Mistake{{"OUTRIGGER_UPSTREAM_B_API_KEY", "", keyWanted}},
		},
		"failover for no cause": {
			"OUTRIGGER_FAILOVER=breaker,slow",
			[]Mistake{{"OUTRIGGER_FAILOVER", "breaker,slow", "want some of breaker, unreachable, overloaded, rate_limited, quota, separated by commas, or off"}},
		},
		"what sends a caller's key":  {"OUTRIGGER_UPSTREAM_OPENAI_CALLER_KEY=yes", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_CALLER_KEY", "yes", "want one of auto, send, drop"}}},
		"a model without a new name": {"OUTRIGGER_UPSTREAM_OPENAI_MODELS=a=b,c", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_MODELS", "a=b,c", "want requested=sent, or several separated by commas, or off"}}},
		"a mode":                     {"OUTRIGGER_MODE=dry-run", []Mistake{{"OUTRIGGER_MODE", "dry-run", "want one of enforce, observe"}}},
		"a model renamed where nothing is changed": {
			"OUTRIGGER_MODE=observe|OUTRIGGER_UPSTREAM_OPENAI_MODELS=a=b",
			[]Mistake{{"OUTRIGGER_MODE", "observe", "want enforce where OUTRIGGER_UPSTREAM_OPENAI_MODELS is set: observe changes no request, and so renames no model"}},
		},
		"a model with two names": {"OUTRIGGER_UPSTREAM_OPENAI_MODELS=a=b,a=c", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_MODELS", "a", "want each requested model once"}}},
		"another upstream's variable": {
			"OUTRIGGER_UPSTREAMS=a=https://a.example,b=https://a.example|OUTRIGGER_UPSTREAM_C_RPM=1",
			[]Mistake{{"OUTRIGGER_UPSTREAM_C_RPM", "", "no upstream c in OUTRIGGER_UPSTREAMS, which names a, b"}},
		},
		"upstream without a name": {"OUTRIGGER_UPSTREAMS=https://a.example", []Mistake{{"OUTRIGGER_UPSTREAMS", "https://a.example", "want name=url, or several separated by commas"}}},
		"upstream off":            {"OUTRIGGER_UPSTREAMS=off", []Mistake{{"OUTRIGGER_UPSTREAMS", "off", "want name=url, or several separated by commas"}}},
		"upstream's name":         {"OUTRIGGER_UPSTREAMS=Open_AI=https://a.example", []Mistake{{"OUTRIGGER_UPSTREAMS", "Open_AI", "want a name that matches [a-z][a-z0-9]* before the equals sign"}}},
		"upstream's name twice": {"OUTRIGGER_UPSTREAMS=a=https://a.example,a=https://b.example", []Mistake{
			{"OUTRIGGER_UPSTREAMS", "a", "want each name once"},
		}},
		"upstream's scheme":      {"OUTRIGGER_UPSTREAMS=a=ftp://a.example", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL that begins with http:// or https://"}}},
		"upstream without one":   {"OUTRIGGER_UPSTREAMS=a=a.example", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL that begins with http:// or https://"}}},
		"upstream's password":    {"OUTRIGGER_UPSTREAMS=a=https://u:p@a.example", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL without user and password; a key goes into OUTRIGGER_UPSTREAM_NAME_API_KEY"}}},
		"upstream without host":  {"OUTRIGGER_UPSTREAMS=a=https://:443", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL with a host"}}},
		"upstream's port":        {"OUTRIGGER_UPSTREAMS=a=https://a.example:0", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a port from 1 to 65535"}}},
		"upstream's query":       {"OUTRIGGER_UPSTREAMS=a=https://a.example?key=k", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL without query; parameters go into OUTRIGGER_UPSTREAM_NAME_QUERY"}}},
		"upstream's empty query": {"OUTRIGGER_UPSTREAMS=a=https://a.example?", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL without query; parameters go into OUTRIGGER_UPSTREAM_NAME_QUERY"}}},
		"upstream's fragment":    {"OUTRIGGER_UPSTREAMS=a=https://a.example#", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL without fragment"}}},
		"upstream's garbage":     {"OUTRIGGER_UPSTREAMS=a=https://u:p", []Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", urlWanted}}},
		"upstream's URL and its variables": {
			"OUTRIGGER_UPSTREAMS=a=x|OUTRIGGER_UPSTREAM_A_API_KEY=k k|OUTRIGGER_UPSTREAM_B_API_KEY=k",
			[]Mistake{{"OUTRIGGER_UPSTREAMS", "a=…", "want a URL that begins with http:// or https://"}, {"OUTRIGGER_UPSTREAM_A_API_KEY", "", "want a key of visible ASCII characters"}},
		},

		"a slip in a name":                {"OUTRIGGER_LISTN=x", []Mistake{{"OUTRIGGER_LISTN", "", "no such variable; the nearest is OUTRIGGER_LISTEN"}}},
		"two letters swapped":             {"OUTRIGGER_TIEMOUT=x", []Mistake{{"OUTRIGGER_TIEMOUT", "", "no such variable; the nearest is OUTRIGGER_TIMEOUT"}}},
		"the prefix alone":                {"OUTRIGGER_=x", []Mistake{{"OUTRIGGER_", "", "no such variable; config.example.env lists all"}}},
		"a file for what is no secret":    {"OUTRIGGER_TIMEOUT_FILE=/x", []Mistake{{"OUTRIGGER_TIMEOUT_FILE", "", "no such variable; the nearest is OUTRIGGER_TIMEOUT"}}},
		"a slip in an upstream's field":   {"OUTRIGGER_UPSTREAM_OPENAI_APIKEY=sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_OPENAI_APIKEY", "", "no such variable; the nearest is OUTRIGGER_UPSTREAM_OPENAI_API_KEY"}}},
		"an upstream that is not listed":  {"OUTRIGGER_UPSTREAM_AZURE_API_KEY=sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_AZURE_API_KEY", "", "no upstream azure in OUTRIGGER_UPSTREAMS, which names openai"}}},
		"the name left as in the example": {"OUTRIGGER_UPSTREAM_NAME_API_KEY=sk-k", []Mistake{{"OUTRIGGER_UPSTREAM_NAME_API_KEY", "", "put an upstream's name in place of NAME: OUTRIGGER_UPSTREAMS names openai"}}},
		"a key where a number goes":       {"OUTRIGGER_RPM=sk-proj-12345", []Mistake{{"OUTRIGGER_RPM", "[redacted]", "want a whole number, from 0 to 1000000000"}}},
		"several at once": {
			"OUTRIGGER_ZZZ=x|OUTRIGGER_TIMEOUT=5|OUTRIGGER_LISTEN=x|OUTRIGGER_AAA=x",
			[]Mistake{
				{"OUTRIGGER_TIMEOUT", "5", "want a duration such as 500ms, 30s or 10m, from 1s to 24h"},
				{"OUTRIGGER_LISTEN", "x", hostPort},
				{"OUTRIGGER_AAA", "", "no such variable; config.example.env lists all"},
				{"OUTRIGGER_ZZZ", "", "no such variable; config.example.env lists all"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mistakesOf(t, strings.Split(tt.environ, "|")...); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestAMistakePrintsOnOneLine(t *testing.T) {
	for want, m := range map[string]Mistake{
		`OUTRIGGER_RPM="x": want a whole number`:         {"OUTRIGGER_RPM", "x", "want a whole number"},
		`OUTRIGGER_RPM="\n\x1b[2J": want a whole number`: {"OUTRIGGER_RPM", "\n\x1b[2J", "want a whole number"},
		`OUTRIGGER_CLIENT_TOKENS: want tokens`:           {"OUTRIGGER_CLIENT_TOKENS", "", "want tokens"},
		`"OUTRIGGER_\n\x1b[2J": no such variable`:        {"OUTRIGGER_\n\x1b[2J", "", "no such variable"},
	} {
		if got := m.Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatLooksLikeACredentialIsNotShown(t *testing.T) {
	for value, want := range map[string]string{
		"":                            "",
		"10m":                         "10m",
		"127.0.0.1:8383":              "127.0.0.1:8383",
		"https://app.example.com":     "https://app.example.com",
		"/var/lib/outrigger":          "/var/lib/outrigger",
		"a desk-top":                  "a desk-top",
		"sk-proj-abc":                 "[redacted]",
		"x sk_live_abc":               "[redacted]",
		"Bearer abc":                  "[redacted]",
		"AIzaSyAbc":                   "[redacted]",
		"gsk_abc":                     "[redacted]",
		"eyJhbGciOi":                  "[redacted]",
		"https://u:p@h.example":       "[redacted]",
		"https://h.example?api-key=k": "[redacted]",
		"https://u:p":                 "[redacted]",
		"http://localhost:3000/":      "http://localhost:3000/",
	} {
		if got := Presentable(value); got != want {
			t.Errorf("%q is shown as %q, want %q", value, got, want)
		}
	}
}

func TestLongTextsAreClipped(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("x", 100):      strings.Repeat("x", 100),
		strings.Repeat("x", 101):      strings.Repeat("x", 100) + "…",
		strings.Repeat("ä", 100):      strings.Repeat("ä", 50) + "…",
		"x" + strings.Repeat("ä", 99): "x" + strings.Repeat("ä", 49) + "…",
	} {
		if got := clip(text); got != want {
			t.Errorf("%q is clipped to %q, want %q", text, got, want)
		}
	}
	long := "OUTRIGGER_" + strings.Repeat("X", 100_000)
	got := mistakesOf(t, long+"=x", "OUTRIGGER_RPM="+long)
	if len(got) != 2 || len(got[0].Value) > 110 || len(got[1].Variable) > 110 {
		t.Errorf("got %d mistakes that are not clipped", len(got))
	}
}
