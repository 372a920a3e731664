package config

import (
	"cmp"
	"context"
	"slices"

	"outrigger/internal/values"
	"outrigger/proxy/outward"
)

// Config is all that the process is told: what the variables say, and what follows from
// them. It is a plain value. Nothing changes it once it was loaded, and two of them share
// no memory that either could change. The zero value is not usable; Load makes one.
type Config struct {
	Settings

	// CADir is the directory of the local certificate authority: what OUTRIGGER_CA_DIR
	// names, else a default. It is empty if the environment names no place for one.
	CADir string
	// Proxies are the proxies on the way to the upstreams, by HTTPS_PROXY and its kin.
	Proxies *outward.Proxies
	// Variables are all variables, in the order of Settings, then those of each upstream.
	Variables []Variable
	// Ignored are names of service links, which Kubernetes sets and which look like
	// Outrigger's variables. They are sorted; nil if there are none.
	Ignored []string
	// Warnings tell, a sentence each, what may fail later but keeps nothing from starting.
	// Only LoadAndProbe and LoadForServe fill it.
	Warnings []string

	environ []values.Secret // as it was given; it may hold secrets
	file    envFile         // OUTRIGGER_ENV_FILE as it was read
}

// Load reads the configuration from environ, which is in the form of os.Environ; of two
// entries with one name the last counts. The error joins one Mistake for everything that
// is wrong, in a stable order; the Config is zero then.
func Load(environ []string) (Config, error) {
	return read(environ).result()
}

// LoadAndProbe is Load, and tries what the configuration names: the spool directory, the
// store and the server of the fleet. What does not work is a mistake or a warning.
func LoadAndProbe(ctx context.Context, environ []string) (Config, error) {
	l := read(environ)
	l.warnOfDoubts()
	l.probeStore(ctx)
	l.probeFleet(ctx)
	return l.result()
}

// LoadForServe is LoadAndProbe for a process that opens the store and connects to its fleet
// itself afterwards: the store is tried only beside other mistakes, so that all are told at
// once, and the fleet's server, which is never a mistake, not at all.
func LoadForServe(ctx context.Context, environ []string) (Config, error) {
	l := read(environ)
	l.warnOfDoubts()
	if len(l.found.all) > 0 {
		l.probeStore(ctx)
	}
	return l.result()
}

// loading is a Config while it is made.
type loading struct {
	Config

	variables []variable
	found     *mistakes
}

// result returns the finished Config, or the mistakes.
func (l *loading) result() (Config, error) {
	if err := l.found.join(); err != nil {
		return Config{}, err
	}
	return l.Config, nil
}

// read does all of Load. What it returns is incomplete if it has mistakes.
func read(environ []string) *loading {
	found := &mistakes{}
	return readWith(environ, readEnvFile(environ, found), found)
}

// readWith is read where OUTRIGGER_ENV_FILE was read.
func readWith(environ []string, file envFile, found *mistakes) *loading {
	l := &loading{found: found}
	l.Proxies, l.file = outward.Of(environ), file
	for _, entry := range environ {
		l.environ = append(l.environ, values.NewSecret(entry))
	}
	both, fromFile := file.beneath(environ)
	given := environmentOf(both)

	l.variables = resolve(&l.Settings, Prefix, given, l.found)
	l.Timeouts.TotalSet = wasSet(l.variables, Prefix+"TIMEOUT")
	l.Timeouts.StreamIdleSet = wasSet(l.variables, Prefix+"STREAM_IDLE_TIMEOUT")

	l.Upstreams = upstreamsOf(l.UpstreamURLs, l.found)
	for i := range l.Upstreams {
		u := &l.Upstreams[i]
		l.variables = append(l.variables, resolve(u, upstreamPrefix(u.Name), given, l.found)...)
	}
	l.Callers.Listen = l.Listen
	l.CADir = cmp.Or(l.TLS.CADir, defaultCADir(environ))

	validate(&l.Settings, l.found)
	l.Ignored = findUnknown(given, l.variables, l.Upstreams, l.found)
	for i := range l.variables {
		v := &l.variables[i]
		if v.Source == sourceEnvironment && fromFile[v.Name] {
			v.Source = envFileVariable + " " + file.path
		}
		l.Variables = append(l.Variables, v.resolved())
	}
	return l
}

// wasSet reports whether somebody set the variable called name, if only to its default.
func wasSet(resolved []variable, name string) bool {
	i := slices.IndexFunc(resolved, func(v variable) bool { return v.Name == name })
	return resolved[i].Source != sourceDefault
}
