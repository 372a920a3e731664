package config

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/policy/priority"
	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
)

// defaults is what no variables at all come to.
func defaults() Settings {
	return Settings{
		Listen:       "127.0.0.1:8383",
		AdminListen:  "127.0.0.1:8384",
		UpstreamURLs: []NamedURL{{"openai", "https://api.openai.com"}},
		Config: settings.Config{
			Timeouts: settings.Timeouts{Total: 10 * time.Minute, Connect: 5 * time.Second, StreamIdle: 5 * time.Minute},
			Retry: policy.Retry{
				Max: 7, Base: 500 * time.Millisecond, Cap: 16 * time.Second, AfterMax: time.Minute, Budget: 0.2,
				Creates: policy.CreatesUnambiguous, ClientRetries: policy.ClientRetriesSuppress,
			},
			Breaker: policy.BreakerConfig{
				Ratio: 0.5, Min: 20, Window: 10 * time.Second, Open: time.Second, Consecutive: -1, Wait: 30 * time.Second,
			},
			Limit:  limit.Settings{QueueMax: 10000, Learn: true},
			Bodies: spool.Config{BodyMemory: 1 << 20, BodyMax: 1 << 30, MemoryMax: 256 << 20, SpoolMax: 10 << 30},
			Store:  store.Config{TTL: 24 * time.Hour, Bytes: 64 << 20},
			Fleet:  settings.Fleet{Fail: settings.FleetFailOpen},
			Callers: settings.Callers{
				Listen: "127.0.0.1:8383",
			},
			Upstreams: []settings.Upstream{{
				Name: "openai", URL: &url.URL{Scheme: "https", Host: "api.openai.com"}, CallerKey: settings.CallerKeyAuto, HTTP2: settings.HTTP2Auto,
			}},
			Concurrency:  settings.ConcurrencyLearn,
			Mode:         settings.ModeEnforce,
			WebSocket:    settings.WebSocketPass,
			Resume:       true,
			TripCooldown: time.Minute,
			Failover:     policy.Failover{policy.FailoverBreaker, policy.FailoverUnreachable, policy.FailoverOverloaded},
		},
		LogLevel:     slog.LevelInfo,
		LogFormat:    "auto",
		DrainTimeout: 25 * time.Second,
	}
}

// spoolHere is a directory that can be written to, in a table that knows no *testing.T.
const spoolHere = "."

func TestEnvironmentBecomesConfiguration(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		change  func(*Settings)
	}{
		"nothing set": {
			nil,
			func(*Settings) {},
		},
		"what is not ours is not looked at": {
			[]string{"PATH=/bin", "TIMEOUT=5", "outrigger_timeout=5", "XOUTRIGGER_TIMEOUT=5", "OUTRIGGER", "=C:=x", ""},
			func(*Settings) {},
		},
		"set but empty is the default": {
			[]string{
				"OUTRIGGER_LISTEN=", "OUTRIGGER_TIMEOUT=", "OUTRIGGER_ALLOWED_ORIGINS=", "OUTRIGGER_UPSTREAMS=", "OUTRIGGER_CLIENT_TOKENS=",
				"OUTRIGGER_CLIENT_TOKENS_FILE=", "OUTRIGGER_LOG_LEVEL=", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=", "OUTRIGGER_UPSTREAM_OPENAI_AUTH_HEADER=",
			},
			func(*Settings) {},
		},
		"the last of two counts": {
			[]string{"OUTRIGGER_RETRY_MAX=1", "OUTRIGGER_RETRY_MAX=2"},
			func(c *Settings) { c.Retry.Max = 2 },
		},
		"listeners": {
			[]string{"OUTRIGGER_LISTEN=[::1]:0", "OUTRIGGER_ADMIN_LISTEN=:9000"},
			func(c *Settings) { c.Listen, c.Callers.Listen, c.AdminListen = "[::1]:0", "[::1]:0", ":9000" },
		},
		"any free port twice": {
			[]string{"OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=127.0.0.1:0"},
			func(c *Settings) {
				c.Listen, c.Callers.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
			},
		},
		"off where that makes sense": {
			[]string{
				"OUTRIGGER_ADMIN_LISTEN=off", "OUTRIGGER_ATTEMPT_TIMEOUT=none", "OUTRIGGER_STREAM_IDLE_TIMEOUT=off", "OUTRIGGER_BREAKER_WAIT=off",
				"OUTRIGGER_QUEUE_TIMEOUT=none", "OUTRIGGER_ALLOWED_ORIGINS=off", "OUTRIGGER_CLIENT_TOKENS=none", "OUTRIGGER_ALLOWED_HOSTS=none",
				"OUTRIGGER_LEARN=off", "OUTRIGGER_DRAIN_DELAY=off",
			},
			func(c *Settings) {
				c.AdminListen, c.Timeouts.StreamIdle, c.Breaker.Wait, c.Limit.Learn = "", 0, 0, false
				c.Timeouts.StreamIdleSet = true
			},
		},
		"zero is off as well": {
			[]string{"OUTRIGGER_STREAM_IDLE_TIMEOUT=0s", "OUTRIGGER_ATTEMPT_TIMEOUT=0"},
			func(c *Settings) { c.Timeouts.StreamIdle, c.Timeouts.StreamIdleSet = 0, true },
		},
		"timeouts": {
			[]string{"OUTRIGGER_TIMEOUT=1h30m", "OUTRIGGER_ATTEMPT_TIMEOUT=1.5s", "OUTRIGGER_CONNECT_TIMEOUT=10ms", "OUTRIGGER_STREAM_IDLE_TIMEOUT=24h"},
			func(c *Settings) {
				c.Timeouts = settings.Timeouts{Total: 90 * time.Minute, Attempt: 1500 * time.Millisecond, Connect: 10 * time.Millisecond, StreamIdle: 24 * time.Hour}
				c.Timeouts.TotalSet, c.Timeouts.StreamIdleSet = true, true
			},
		},
		"a timeout that is set to its default is set": {
			[]string{"OUTRIGGER_TIMEOUT=10m", "OUTRIGGER_STREAM_IDLE_TIMEOUT=5m"},
			func(c *Settings) { c.Timeouts.TotalSet, c.Timeouts.StreamIdleSet = true, true },
		},
		"a timeout that is set to nothing is not": {
			[]string{"OUTRIGGER_TIMEOUT=", "OUTRIGGER_STREAM_IDLE_TIMEOUT="},
			func(*Settings) {},
		},
		"an upstream's own attempt timeout": {
			[]string{"OUTRIGGER_UPSTREAM_OPENAI_ATTEMPT_TIMEOUT=30s"},
			func(c *Settings) { c.Upstreams[0].AttemptTimeout = 30 * time.Second },
		},
		"retry": {
			[]string{
				"OUTRIGGER_RETRY_MAX=0", "OUTRIGGER_RETRY_BASE=8s", "OUTRIGGER_RETRY_CAP=8s", "OUTRIGGER_RETRY_AFTER_MAX=2m",
				"OUTRIGGER_RETRY_BUDGET=1e-1", "OUTRIGGER_RETRY_CREATES=ALWAYS", "OUTRIGGER_CLIENT_RETRIES=allow",
			},
			func(c *Settings) {
				c.Retry = policy.Retry{
					Base: 8 * time.Second, Cap: 8 * time.Second, AfterMax: 2 * time.Minute, Budget: 0.1,
					Creates: policy.CreatesAlways, ClientRetries: policy.ClientRetriesAllow,
				}
			},
		},
		"limits beyond 32 bits": {
			[]string{"OUTRIGGER_RPM=1000000000", "OUTRIGGER_TPM=1000000000000", "OUTRIGGER_QUEUE_MAX=1", "OUTRIGGER_MAX_INFLIGHT=7"},
			func(c *Settings) {
				c.Limit.RPM, c.Limit.TPM, c.Limit.QueueMax, c.MaxInflight = 1e9, 1e12, 1, 7
			},
		},
		"bodies": {
			[]string{"OUTRIGGER_BODY_MEMORY=64KB", "OUTRIGGER_BODY_MAX=64 KB", "OUTRIGGER_MEMORY_MAX=1GiB", "OUTRIGGER_SPOOL_MAX=0", "OUTRIGGER_SPOOL_DIR=" + spoolHere},
			func(c *Settings) {
				c.Bodies = spool.Config{BodyMemory: 64000, BodyMax: 64000, MemoryMax: 1 << 30, Dir: spoolHere}
			},
		},
		"callers": {
			[]string{
				"OUTRIGGER_CLIENT_TOKENS=one, two", "OUTRIGGER_ALLOWED_ORIGINS=https://app.example.com,http://localhost:3000",
				"OUTRIGGER_ALLOWED_HOSTS=outrigger, 10.0.0.7,[::1]",
			},
			func(c *Settings) {
				c.Callers.Tokens = []values.Secret{values.NewSecret("one"), values.NewSecret("two")}
				c.Callers.Origins = []string{"https://app.example.com", "http://localhost:3000"}
				c.Callers.Hosts = []string{"outrigger", "10.0.0.7", "[::1]"}
			},
		},
		"observe mode": {
			[]string{"OUTRIGGER_MODE=Observe"},
			func(c *Settings) { c.Mode = settings.ModeObserve },
		},
		"priorities": {
			[]string{
				"OUTRIGGER_CLIENT_TOKENS=web:one, web:two,batch:three,four", "OUTRIGGER_PRIORITY_DEFAULT=LOW",
				"OUTRIGGER_TOKEN_PRIORITIES=web=high, batch=low",
			},
			func(c *Settings) {
				c.Callers.Tokens = []values.Secret{
					values.NewSecret("web:one"), values.NewSecret("web:two"), values.NewSecret("batch:three"), values.NewSecret("four"),
				}
				c.Callers.Priority = priority.Low
				c.Callers.TokenPriorities = []settings.TokenPriority{{Name: "web", Priority: priority.High}, {Name: "batch", Priority: priority.Low}}
			},
		},
		"another upstream with its own variables": {
			[]string{
				"OUTRIGGER_UPSTREAMS= azure2 = https://my.openai.azure.com:8443/openai ", "OUTRIGGER_UPSTREAM_AZURE2_API_KEY=sk-key",
				"OUTRIGGER_UPSTREAM_AZURE2_AUTH_HEADER=api-key", "OUTRIGGER_UPSTREAM_AZURE2_HEADERS=OpenAI-Beta=assistants=v2, X-Empty=",
				"OUTRIGGER_UPSTREAM_AZURE2_QUERY=api-version=2024-10-21", "OUTRIGGER_UPSTREAM_AZURE2_RPM=60",
				"OUTRIGGER_UPSTREAM_AZURE2_TPM=90000", "OUTRIGGER_UPSTREAM_AZURE2_MAX_INFLIGHT=5", "OUTRIGGER_UPSTREAM_AZURE2_CALLER_KEY=Drop",
				"OUTRIGGER_UPSTREAM_AZURE2_MODELS=gpt-4o = my-4o, *=other=1",
			},
			func(c *Settings) {
				c.UpstreamURLs = []NamedURL{{"azure2", "https://my.openai.azure.com:8443/openai"}}
				c.Upstreams = []settings.Upstream{{
					Name: "azure2", URL: &url.URL{Scheme: "https", Host: "my.openai.azure.com:8443", Path: "/openai"},
					APIKey: values.NewSecret("sk-key"), AuthHeader: "api-key", CallerKey: settings.CallerKeyDrop, HTTP2: settings.HTTP2Auto,
					Headers: []settings.Pair{{Name: "OpenAI-Beta", Value: "assistants=v2"}, {Name: "X-Empty"}},
					Query:   []settings.Pair{{Name: "api-version", Value: "2024-10-21"}},
					Models:  []settings.Model{{Requested: "gpt-4o", Sent: "my-4o"}, {Requested: "*", Sent: "other=1"}},
					RPM:     60, TPM: 90000, MaxInflight: 5,
				}}
			},
		},
		"several upstreams": {
			[]string{
				"OUTRIGGER_UPSTREAMS=a=https://a.example, b=https://b.example ,c=https://b.example,local=http://localhost:11434", "OUTRIGGER_FAILOVER= Quota, breaker",
				"OUTRIGGER_UPSTREAM_B_API_KEY=b-key", "OUTRIGGER_UPSTREAM_C_CALLER_KEY=send", "OUTRIGGER_UPSTREAM_C_MODELS=*=small",
			},
			func(c *Settings) {
				c.UpstreamURLs = []NamedURL{{"a", "https://a.example"}, {"b", "https://b.example"}, {"c", "https://b.example"}, {"local", "http://localhost:11434"}}
				upstream := func(name, scheme, host string) settings.Upstream {
					return settings.Upstream{Name: name, URL: &url.URL{Scheme: scheme, Host: host}, CallerKey: settings.CallerKeyAuto, HTTP2: settings.HTTP2Auto}
				}
				c.Upstreams = []settings.Upstream{
					upstream("a", "https", "a.example"), upstream("b", "https", "b.example"),
					upstream("c", "https", "b.example"), upstream("local", "http", "localhost:11434"),
				}
				c.Upstreams[1].APIKey = values.NewSecret("b-key")
				c.Upstreams[2].CallerKey, c.Upstreams[2].Models = settings.CallerKeySend, []settings.Model{{Requested: "*", Sent: "small"}}
				c.Failover = policy.Failover{policy.FailoverQuota, policy.FailoverBreaker}
			},
		},
		"no failover": {
			[]string{"OUTRIGGER_UPSTREAMS=openai=https://api.openai.com,b=https://b.example", "OUTRIGGER_FAILOVER=none"},
			func(c *Settings) {
				c.UpstreamURLs = append(c.UpstreamURLs, NamedURL{"b", "https://b.example"})
				c.Upstreams = append(c.Upstreams, settings.Upstream{
					Name: "b", URL: &url.URL{Scheme: "https", Host: "b.example"}, CallerKey: settings.CallerKeyAuto, HTTP2: settings.HTTP2Auto,
				})
				c.Failover = nil
			},
		},
		"an upstream that is called name": {
			[]string{"OUTRIGGER_UPSTREAMS=name=http://localhost", "OUTRIGGER_UPSTREAM_NAME_RPM=1"},
			func(c *Settings) {
				c.UpstreamURLs = []NamedURL{{"name", "http://localhost"}}
				c.Upstreams = []settings.Upstream{{Name: "name", URL: &url.URL{Scheme: "http", Host: "localhost"}, CallerKey: settings.CallerKeyAuto, HTTP2: settings.HTTP2Auto, RPM: 1}}
			},
		},
		"all addresses, with a key and with tokens": {
			[]string{"OUTRIGGER_LISTEN=0.0.0.0:8383", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-key", "OUTRIGGER_CLIENT_TOKENS=token"},
			func(c *Settings) {
				c.Listen, c.Callers.Listen = "0.0.0.0:8383", "0.0.0.0:8383"
				c.Callers.Tokens = []values.Secret{values.NewSecret("token")}
				c.Upstreams[0].APIKey = values.NewSecret("sk-key")
			},
		},
		"all addresses, without a key": {
			[]string{"OUTRIGGER_LISTEN=:8383", "OUTRIGGER_UPSTREAM_OPENAI_HEADERS=OpenAI-Beta=x", "OUTRIGGER_UPSTREAM_OPENAI_QUERY=api-version=1"},
			func(c *Settings) {
				c.Listen, c.Callers.Listen = ":8383", ":8383"
				c.Upstreams[0].Headers = []settings.Pair{{Name: "OpenAI-Beta", Value: "x"}}
				c.Upstreams[0].Query = []settings.Pair{{Name: "api-version", Value: "1"}}
			},
		},
		"log and drain": {
			[]string{"OUTRIGGER_LOG_LEVEL=DEBUG", "OUTRIGGER_LOG_FORMAT=text", "OUTRIGGER_DRAIN_DELAY=5s", "OUTRIGGER_DRAIN_TIMEOUT=0s"},
			func(c *Settings) {
				c.LogLevel, c.LogFormat, c.DrainDelay, c.DrainTimeout = slog.LevelDebug, "text", 5*time.Second, 0
			},
		},
		"service links of Kubernetes": {
			[]string{
				"OUTRIGGER_SERVICE_HOST=10.0.0.1", "OUTRIGGER_SERVICE_PORT=8383", "OUTRIGGER_SERVICE_PORT_HTTP=8383", "OUTRIGGER_PORT=tcp://10.0.0.1:8383",
				"OUTRIGGER_PORT_8383_TCP=tcp://10.0.0.1:8383", "OUTRIGGER_PORT_8383_TCP_PROTO=tcp", "OUTRIGGER_PORT_8383_TCP_PORT=8383", "OUTRIGGER_PORT_8383_TCP_ADDR=10.0.0.1",
				"OUTRIGGER_ADMIN_SERVICE_HOST=10.0.0.1", "OUTRIGGER_UPSTREAM_X_PORT_1_UDP_ADDR=10.0.0.1",
			},
			func(*Settings) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := defaults()
			tt.change(&want)
			got, err := Load(tt.environ)
			if err != nil {
				t.Fatalf("mistakes: %v", err)
			}
			if !reflect.DeepEqual(got.Settings, want) {
				t.Errorf("got  %+v\nwant %+v", got.Settings, want)
			}
		})
	}
}

func TestSourcesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load([]string{"OUTRIGGER_TIMEOUT=1m", "OUTRIGGER_CONNECT_TIMEOUT=", "OUTRIGGER_CLIENT_TOKENS_FILE=" + path, "OUTRIGGER_SERVICE_HOST=10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for i := range s.Variables {
		v := &s.Variables[i]
		got[v.Name] = [2]string{v.Value, v.Source}
	}
	want := map[string][2]string{
		"OUTRIGGER_TIMEOUT":                 {"1m", "environment"},
		"OUTRIGGER_CONNECT_TIMEOUT":         {"5s", "default"},
		"OUTRIGGER_CLIENT_TOKENS":           {"[redacted]", "file " + path},
		"OUTRIGGER_UPSTREAM_OPENAI_API_KEY": {"", "default"},
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: %q, want %q", name, got[name], w)
		}
	}
	if !reflect.DeepEqual(s.Ignored, []string{"OUTRIGGER_SERVICE_HOST"}) {
		t.Errorf("ignored %q", s.Ignored)
	}
}
