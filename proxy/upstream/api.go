package upstream

import (
	"cmp"
	"net/http"
	"sync/atomic"
	"time"

	"outrigger/policy/preset"
	"outrigger/proxy/outward"
	"outrigger/proxy/settings"
)

// API is one upstream's API and how to call it, under one configuration.
type API struct {
	*Connections
	Config  settings.Upstream
	Secrets *atomic.Pointer[secrets]
	auth    string // canonical name of the header for the key, if the user set it
	Preset  preset.Preset
	Home    int      // where its objects live
	foreign bool     // callers' credentials do not go there, unless they ask for it by name
	own     []string // see settings.KeyHeaders
	Models  models
	Attempt time.Duration // how long an attempt may be silent; 0 is no bound
}

// NewAPI returns the API at u under c. known is the same one under the configuration before,
// nil if there is none: its connections are kept if new ones would be made in the same way.
// Calls that are on their way go on with known, but for a new key: theirs may be revoked.
func NewAPI(c settings.Config, u settings.Upstream, dial Dialer, proxies *outward.Proxies, known *API) *API {
	a := &API{
		Config: u, auth: http.CanonicalHeaderKey(u.AuthHeader), Preset: u.Preset(), Models: newModels(u.Models),
		Attempt: cmp.Or(u.AttemptTimeout, c.Timeouts.Attempt),
		foreign: !u.GetsCallerKey(c.Upstreams[0].URL), own: settings.KeyHeaders(c.Upstreams),
	}
	how := manner{url: u.URL.String(), connect: c.Timeouts.Connect, http2: u.HTTP2, proxies: proxies, listen: c.Callers.Listen}
	if known != nil && known.manner == how {
		a.Connections = known.Connections
		a.users.Add(1)
	} else {
		a.Connections = newConnections(how, u.URL, dial)
	}
	switch {
	case known == nil:
		a.Secrets = &atomic.Pointer[secrets]{}
		a.Secrets.Store(NewSecrets(&u, nil))
	case known.auth == a.auth && known.Config.APIKey.IsZero() == u.APIKey.IsZero():
		a.Secrets = known.Secrets
		a.Secrets.Store(NewSecrets(&u, known.Secrets.Load()))
	default: // what is on its way could not use the new ones
		a.Secrets = &atomic.Pointer[secrets]{}
		a.Secrets.Store(NewSecrets(&u, known.Secrets.Load()))
	}
	return a
}
