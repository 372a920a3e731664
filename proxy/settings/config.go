package settings

import (
	"net/http"
	"net/url"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/policy/preset"
	"outrigger/policy/priority"
	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/spool"
)

// Config is everything that the traffic listener's handler can be told. Its tags
// name the environment variables (without their OUTRIGGER_ prefix), defaults and
// ranges; internal/config reads them, so that no second copy of a setting exists.
// The zero value is not usable: every field wants its default.
type Config struct {
	Timeouts  Timeouts
	Retry     policy.Retry
	Breaker   policy.BreakerConfig
	Limit     limit.Settings
	Bodies    spool.Config
	Store     store.Config
	Fleet     Fleet
	Callers   Callers
	Upstreams []Upstream // in failover order; set by OUTRIGGER_UPSTREAMS

	// Failover says when a request goes on to the next upstream.
	Failover policy.Failover `env:"FAILOVER" envDefault:"breaker,unreachable,overloaded" oneof:"breaker,unreachable,overloaded,rate_limited,quota" doc:"when a request goes on to the next upstream, comma-separated, or none"`
	// MaxInflight bounds concurrent attempts per upstream; 0 is no bound.
	MaxInflight int `env:"MAX_INFLIGHT" envDefault:"0" min:"0" max:"1000000" off:"true" doc:"concurrent attempts per upstream; 0 is no bound"`
	// Concurrency says whether limits on calls in flight are learned; MaxInflight stays
	// the upper bound.
	Concurrency ConcurrencyMode `env:"CONCURRENCY" envDefault:"learn" oneof:"learn,off" doc:"learn from refusals how many calls run at once, per upstream and per credential and model, or off"`
	// Mode says whether requests are governed, or passed on as they are and observed.
	Mode Mode `env:"MODE" envDefault:"enforce" oneof:"enforce,observe" doc:"enforce; or observe: every call is passed on once and unchanged, and log, metrics and status page say what enforce would have done" restart:"true"`
	// WebSocket says whether WebSockets are carried.
	WebSocket WebSocketMode `env:"WEBSOCKET" envDefault:"pass" oneof:"pass,refuse" doc:"pass carries WebSockets; refuse answers 426, so that a client that has a way by HTTP takes it"`
	// TripCooldown is how long a cached refusal is given before one call probes it.
	TripCooldown time.Duration `env:"TRIP_COOLDOWN" envDefault:"60s" min:"1s" max:"24h" doc:"how long a dead credential is refused locally before one probe goes through"`
	// Resume says that a background Responses stream that is cut is fetched again from there.
	Resume bool `env:"RESUME" envDefault:"on" doc:"a background Responses stream that is cut goes on with the rest from the same upstream, in the same answer"`
	// Rejoin is how long a call without a key goes on when its caller leaves; 0 ends it at once.
	Rejoin time.Duration `env:"REJOIN" envDefault:"off" min:"100ms" max:"1h" off:"true" doc:"how long an abandoned call goes on, so that the client's own retry of it can join" restart:"true"`
}

// Timeouts bounds every wait of a request. A zero duration is no bound.
type Timeouts struct {
	// Total covers queue, attempts and waits, until the answer is committed.
	Total time.Duration `env:"TIMEOUT" envDefault:"10m" min:"1s" max:"24h" doc:"whole request until its answer is committed: queue, attempts and waits; the default gives way to a caller that announces more"`
	// Attempt covers one attempt until its first byte, or a stream's first event, from when
	// its body was sent. The last possible attempt has no bound but Total.
	Attempt time.Duration `env:"ATTEMPT_TIMEOUT" envDefault:"off" min:"10ms" max:"24h" off:"true" doc:"one attempt, once its body is sent, until its first byte or first event; the last possible one is not cut"`
	// Connect covers dialling and, again, the TLS handshake.
	Connect time.Duration `env:"CONNECT_TIMEOUT" envDefault:"5s" min:"10ms" max:"10m" doc:"dial and TLS"`
	// StreamIdle is the longest silence inside an answer.
	StreamIdle time.Duration `env:"STREAM_IDLE_TIMEOUT" envDefault:"5m" min:"100ms" max:"24h" off:"true" doc:"longest silence inside an answer; the default gives way to a caller that announces more"`
	// TotalSet and StreamIdleSet tell that the operator chose Total and StreamIdle, if only
	// as what they are by default: then they bound a caller that announces more, to which a
	// default gives way. Another value than the default was chosen in any case. Set by
	// internal/config.
	TotalSet, StreamIdleSet bool
}

// Callers says who may call.
type Callers struct {
	// Tokens, when any are set, are what callers must present in x-outrigger-token. One may be
	// name:token; see SplitToken.
	Tokens []values.Secret `env:"CLIENT_TOKENS" doc:"tokens, or name:token, that callers must present in x-outrigger-token, comma-separated" secret:"true"`
	// Priority is that of calls whose caller says nothing about it.
	Priority priority.Priority `env:"PRIORITY_DEFAULT" envDefault:"normal" oneof:"high,normal,low" doc:"priority in the queues of calls without x-outrigger-priority whose token has none: high, normal or low"`
	// TokenPriorities are those of calls with a named token, and the most that their
	// x-outrigger-priority may ask for.
	TokenPriorities []TokenPriority `env:"TOKEN_PRIORITIES" doc:"priorities of named client tokens, 'name=priority' list, comma-separated: the default of their calls, and the most that x-outrigger-priority may ask for"`
	// Header says that callers may name themselves, or a part of them, in x-outrigger-caller.
	Header bool `env:"CALLER_HEADER" envDefault:"off" doc:"x-outrigger-caller names the caller in log, metrics, traces and status page"`
	// Origins are the browser origins (scheme://host[:port]) that may call.
	Origins []string `env:"ALLOWED_ORIGINS" envDefault:"none" doc:"browser origins that may call, comma-separated, or none"`
	// Hosts are the Host values served, without port. Empty: loopback names and
	// the listen address on a loopback listener, any host on another one.
	Hosts []string `env:"ALLOWED_HOSTS" doc:"Host values that are served, comma-separated; unset: loopback names and the listen address, any on a non-loopback listener"`
	// Intercept serves requests that were meant for an upstream's host and came here
	// as to a proxy. It is for a loopback listener only.
	Intercept bool `env:"INTERCEPT" envDefault:"off" doc:"HTTPS_PROXY mode: CONNECT is served, and what goes to the upstreams' hosts takes the path of all requests" restart:"true"`
	// Listen is the traffic listener's address, from which the default for Hosts
	// follows. Set from OUTRIGGER_LISTEN by internal/config, not by a variable here.
	Listen string
}

// Upstream is one OpenAI-compatible server and how to call it.
type Upstream struct {
	// Name is [a-z][a-z0-9]*; it labels metrics and stands in /@NAME/ paths.
	Name string
	// URL is scheme, host and an optional path that requests are joined to.
	URL *url.URL

	APIKey      values.Secret `env:"API_KEY" secret:"true" doc:"replaces the caller's credential towards that upstream"`
	AuthHeader  string        `env:"AUTH_HEADER" doc:"header for that key; Authorization gets 'Bearer ', any other the bare key; unset: the provider's own where it is known, else Authorization"`
	CallerKey   CallerKeyMode `env:"CALLER_KEY" envDefault:"auto" oneof:"auto,send,drop" doc:"the caller's credential, where there is no key: auto sends it to the first upstream's host alone, send and drop do so in any case"`
	Headers     []Pair        `env:"HEADERS" secret:"true" doc:"extra headers, 'Name=value' list, comma-separated; values are treated as secrets"`
	Query       []Pair        `env:"QUERY" secret:"true" doc:"extra query parameters, 'name=value' list, comma-separated"`
	Models      []Model       `env:"MODELS" doc:"what that upstream calls models, 'requested=sent' list, comma-separated; * stands for all others"`
	RPM         int           `env:"RPM" envDefault:"0" min:"0" max:"1000000000" doc:"overrides OUTRIGGER_RPM; 0 does not"`
	TPM         int           `env:"TPM" envDefault:"0" min:"0" max:"1000000000000" doc:"overrides OUTRIGGER_TPM; 0 does not"`
	MaxInflight int           `env:"MAX_INFLIGHT" envDefault:"0" min:"0" max:"1000000" doc:"overrides OUTRIGGER_MAX_INFLIGHT; 0 does not"`
	// HTTP2 says whether HTTP/2 is spoken there.
	HTTP2 HTTP2Mode `env:"HTTP2" envDefault:"auto" oneof:"auto,off" doc:"auto speaks HTTP/2 where the upstream offers it, and HTTP/1.1 for a while once its HTTP/2 fails and HTTP/1.1 works; off speaks HTTP/1.1 only"`
	// AttemptTimeout is Timeouts.Attempt for this upstream; 0 does not override it.
	AttemptTimeout time.Duration `env:"ATTEMPT_TIMEOUT" min:"10ms" max:"24h" doc:"overrides OUTRIGGER_ATTEMPT_TIMEOUT; unset does not"`
}

// Pair is a name with a value. Its text form is name=value; the value may be empty.
type Pair struct{ Name, Value string }

// KeyHeaders are the headers that carry a key because the configuration says so.
func KeyHeaders(upstreams []Upstream) []string {
	var names []string
	for i := range upstreams {
		if name := upstreams[i].AuthHeader; name != "" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	return names
}

// Preset returns what is known of the provider at u's URL, which must be set.
func (u *Upstream) Preset() preset.Preset {
	known := preset.Upstream{Host: u.URL.Hostname(), Path: u.URL.EscapedPath()}
	for _, p := range u.Query {
		if p.Name == "api-version" {
			known.APIVersion = p.Value
		}
	}
	return preset.Of(known)
}
