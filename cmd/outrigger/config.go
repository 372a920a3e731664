package main

import (
	"cmp"
	"log/slog"
	"slices"
	"time"

	"outrigger/proxy"
	"outrigger/proxy/outward"
)

// prefix starts the name of every variable.
const prefix = "OUTRIGGER_"

// Config is everything that the process can be told. As in proxy.Config, tags
// name the variables (without their prefix), their defaults and what is allowed:
//
//	env, envDefault  name and default, see github.com/caarlos0/env
//	min, max         bounds of a number, duration or size; without min it is 0
//	oneof            the allowed words
//	off              "true": off and none are allowed too and give the zero value
//	secret           "true": never printed, and X_FILE may name a file that holds it
//	doc              one line for people
type Config struct {
	// Listen is host:port of the traffic listener; port 0 is any free one.
	Listen string `env:"LISTEN" envDefault:"127.0.0.1:8383" doc:"traffic listener, host:port; 127.0.0.1 and localhost stand for ::1 too, where it is there"`
	// AdminListen is host:port of the admin listener; empty is none.
	AdminListen string `env:"ADMIN_LISTEN" envDefault:"127.0.0.1:8384" off:"true" doc:"admin listener, host:port, or off"`
	// UpstreamURLs is OUTRIGGER_UPSTREAMS as written; Upstreams follows from it.
	UpstreamURLs []namedURL `env:"UPSTREAMS" envDefault:"openai=https://api.openai.com" doc:"name=url list in failover order, comma-separated; a name is [a-z][a-z0-9]* and stands in its variables, in /@NAME/ paths and in metrics; one URL may stand under several names"`

	// MaxConnections is how many connections callers may have open; 0 is what descriptors
	// and memory allow.
	MaxConnections int `env:"MAX_CONNECTIONS" envDefault:"0" min:"0" max:"1000000" doc:"connections of callers; over it one goes that nobody uses; 0: as many as descriptors and memory allow"`

	// TLS is what callers of the traffic listener that speak TLS are shown.
	TLS TLS

	proxy.Config

	// LogLevel is the least severe level that is logged.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info" oneof:"debug,info,warn,error" doc:"least severe level that is logged"`
	// LogFormat is auto, text or json.
	LogFormat string `env:"LOG_FORMAT" envDefault:"auto" oneof:"auto,text,json" doc:"auto is text on a terminal, JSON elsewhere"`
	// DrainDelay passes between readiness going off and requests being refused.
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s" max:"1h" off:"true" doc:"how long a drain goes on taking requests after readiness went off"`
	// DrainTimeout is how long running requests may take after that.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"25s" max:"24h" doc:"how long a drain waits for running requests before it cancels them"`
}

// settings is a Config with what is known about where it came from.
type settings struct {
	Config
	// CADir is where the local certificate authority is kept; empty if the
	// environment names no place for it.
	CADir string
	// Proxies are those that the environment names for the way to the upstreams.
	Proxies *outward.Proxies
	// Variables are all variables, resolved, in the order of the request path.
	Variables []variable
	// environ is where all of it came from.
	environ []string
	// Ignored are names that look like ours and were put there by Kubernetes.
	Ignored []string
	// Warnings are what may fail, and keeps nothing from starting.
	Warnings []string
}

// load reads the configuration from environ, which is in the form of os.Environ.
// The error joins one Mistake for everything that is wrong, in a stable order;
// then the settings are not fit for use.
func load(environ []string) (*settings, error) {
	s, found := read(environ)
	return s, found.join()
}

func read(environ []string) (*settings, *mistakes) {
	given, found := environmentOf(environ), &mistakes{}
	s := &settings{Proxies: outward.Of(environ), environ: environ}
	s.Variables = variablesOf(&s.Config, prefix)
	resolve(s.Variables, given, found)
	s.Timeouts.TotalSet = wasSet(s.Variables, prefix+"TIMEOUT")
	s.Timeouts.StreamIdleSet = wasSet(s.Variables, prefix+"STREAM_IDLE_TIMEOUT")

	s.Upstreams = upstreamsOf(s.UpstreamURLs, found)
	for i := range s.Upstreams {
		u := &s.Upstreams[i]
		own := variablesOf(u, upstreamPrefix(u.Name))
		resolve(own, given, found)
		s.Variables = append(s.Variables, own...)
	}
	s.Callers.Listen = s.Listen
	s.CADir = cmp.Or(s.TLS.CADir, defaultCADir(environ))

	validate(&s.Config, found)
	s.Ignored = findUnknown(given, s, found)
	return s, found
}

// wasSet reports whether the variable called name has its text from somebody, be it the
// default's.
func wasSet(resolved []variable, name string) bool {
	i := slices.IndexFunc(resolved, func(v variable) bool { return v.Name == name })
	return resolved[i].Source != sourceDefault
}

// resolve finds the text of each variable and sets its field.
func resolve(variables []variable, given environment, found *mistakes) {
	for i := range variables {
		v := &variables[i]
		if !v.find(given, found) {
			continue
		}
		if problem := slip(v.Text); problem != "" {
			found.add(v.given, v.shown(), problem)
		} else if !v.set() {
			found.add(v.given, v.shown(), v.allowed())
		}
	}
}
