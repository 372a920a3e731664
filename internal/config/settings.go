package config

import (
	"log/slog"
	"time"

	"outrigger/proxy/settings"
)

// Prefix starts the name of every variable.
const Prefix = "OUTRIGGER_"

// Settings is everything that variables set. As in proxy.Config, tags name the variables
// (without their prefix), their defaults and what is allowed:
//
//	env, envDefault  name and default, see github.com/caarlos0/env
//	min, max         bounds of a number, duration or size; without min it is 0
//	oneof            the allowed words
//	off              "true": off and none are allowed too and give the zero value
//	secret           "true": never printed, and X_FILE may name a file that holds it
//	restart          "true": it cannot change while Outrigger runs
//	doc              one line for people
//
// No two fields under Settings have both name and type in common: by these env tells
// which one it could not parse.
type Settings struct {
	// Listen is host:port of the traffic listener; port 0 is any free one.
	Listen string `env:"LISTEN" envDefault:"127.0.0.1:8383" doc:"traffic listener, host:port; 127.0.0.1 and localhost stand for ::1 too, where it is there" restart:"true"`
	// AdminListen is host:port of the admin listener; empty is none.
	AdminListen string `env:"ADMIN_LISTEN" envDefault:"127.0.0.1:8384" off:"true" doc:"admin listener, host:port, or off" restart:"true"`
	// UpstreamURLs is OUTRIGGER_UPSTREAMS as written; Upstreams follows from it.
	UpstreamURLs []NamedURL `env:"UPSTREAMS" envDefault:"openai=https://api.openai.com" doc:"name=url list in failover order, comma-separated; a name is [a-z][a-z0-9]* and stands in its variables, in /@NAME/ paths and in metrics; one URL may stand under several names"`

	// EnvFile names a file that sets variables beneath the environment. It is read before all else.
	EnvFile string `env:"ENV_FILE" doc:"file of NAME=value lines, read at the start and on SIGHUP, for the OUTRIGGER_ variables that the environment does not set"`

	// MaxConnections is how many connections callers may have open; 0 is what descriptors
	// and memory allow.
	MaxConnections int `env:"MAX_CONNECTIONS" envDefault:"0" min:"0" max:"1000000" doc:"connections of callers; over it one goes that nobody uses; 0: as many as descriptors and memory allow" restart:"true"`

	// TLS is what callers of the traffic listener that speak TLS are shown.
	TLS TLS

	settings.Config

	// LogLevel is the least severe level that is logged.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info" oneof:"debug,info,warn,error" doc:"least severe level that is logged"`
	// LogFormat is auto, text or json.
	LogFormat string `env:"LOG_FORMAT" envDefault:"auto" oneof:"auto,text,json" doc:"auto is text on a terminal, JSON elsewhere" restart:"true"`
	// DrainDelay passes between readiness going off and requests being refused.
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s" max:"1h" off:"true" doc:"how long a drain goes on taking requests after readiness went off"`
	// DrainTimeout is how long running requests may take after that.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"25s" max:"24h" doc:"how long a drain waits for running requests before it cancels them"`
}

// ProxyDefaults returns what no variables at all set of a proxy.Config, without an
// upstream. It is where programs start that run a proxy without an environment.
func ProxyDefaults() settings.Config {
	var s Settings
	resolve(&s, Prefix, nil, &mistakes{}) // every default is allowed
	s.Callers.Listen = s.Listen
	return s.Config
}

// UpstreamDefaults returns an upstream as no variables at all set it, without name and URL.
func UpstreamDefaults() settings.Upstream {
	var u settings.Upstream
	resolve(&u, Prefix, nil, &mistakes{}) // every default is allowed
	return u
}
