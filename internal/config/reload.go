package config

import (
	"slices"
	"strings"

	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
)

// Reload loads the same environment again. OUTRIGGER_ENV_FILE, and the files of secrets and
// certificates, may say something else by now. What cannot change while the process runs is
// a mistake too.
func (c Config) Reload() (Config, error) {
	environ := c.given()
	found := &mistakes{}
	return c.next(environ, readEnvFile(environ, found), found)
}

// ReloadSecrets is Reload with OUTRIGGER_ENV_FILE as it was read last: somebody may just be
// editing it.
func (c Config) ReloadSecrets() (Config, error) {
	file := envFile{c.file.path, slices.Clone(c.file.entries)}
	return c.next(c.given(), file, &mistakes{})
}

func (c Config) given() []string {
	environ := make([]string, len(c.environ))
	for i, entry := range c.environ {
		environ[i] = entry.Reveal()
	}
	return environ
}

func (c Config) next(environ []string, file envFile, found *mistakes) (Config, error) {
	l := readWith(environ, file, found)
	for _, name := range settings.Fixed(c.Settings, l.Settings) {
		if name = Prefix + name; found.have(name) {
			continue
		}
		v := l.variables[slices.IndexFunc(l.variables, func(v variable) bool { return v.Name == name })]
		found.add(v.given, v.shown(), "cannot change while Outrigger runs: set it back, or restart Outrigger")
	}
	if c.Callers.Intercept && !found.have(Prefix+"UPSTREAMS") && !slices.Equal(authorities(c.Upstreams), authorities(l.Upstreams)) {
		found.add(Prefix+"UPSTREAMS", "", "want the hosts that were there at the start: with "+Prefix+"INTERCEPT=on they cannot change while Outrigger runs")
	}
	return l.result()
}

// shown is the text where it may be shown.
func (v *variable) shown() string {
	if v.hidden() {
		return ""
	}
	return v.Text
}

// authorities are the hosts and ports of upstreams, sorted.
func authorities(upstreams []settings.Upstream) []string {
	var all []string
	for _, u := range upstreams {
		if u.URL != nil {
			all = append(all, intercept.Authority(u.URL))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Changed returns the names of the variables that next sets in another way, in its order. One
// that only one of both has, since it is an upstream's, counts unless it is the default.
func (c Config) Changed(next Config) []string {
	before := map[string]Variable{}
	for _, v := range c.Variables {
		before[v.Name] = v
	}
	changed := []string{}
	for _, v := range next.Variables {
		was, known := before[v.Name]
		if known && !v.Same(was) || !known && v.Source != sourceDefault {
			changed = append(changed, v.Name)
		}
		delete(before, v.Name)
	}
	for _, v := range c.Variables {
		if _, gone := before[v.Name]; gone && v.Source != sourceDefault {
			changed = append(changed, v.Name)
		}
	}
	return changed
}

// SecretFiles returns the paths of the files that secrets were read from.
func (c Config) SecretFiles() []string {
	var paths []string
	for _, v := range c.Variables {
		if path, ok := strings.CutPrefix(v.Source, sourceFile); ok && v.Secret {
			paths = append(paths, path)
		}
	}
	return paths
}
