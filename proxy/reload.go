package proxy

import (
	"outrigger/proxy/settings"
	"outrigger/proxy/upstream"
)

// SetSecrets puts the client tokens, and the keys, headers and parameters of the upstreams, of
// c into force. c has the same upstreams as the Config that New was given. Requests that
// were admitted go on; waiting ones may still be sent with what was in force before.
func (p *Proxy) SetSecrets(c settings.Config) {
	g := p.gen()
	for i, up := range g.Upstreams {
		if up.Config.Name == c.Upstreams[i].Name {
			up.Secrets.Store(upstream.NewSecrets(&c.Upstreams[i], up.Secrets.Load()))
		}
	}
	g.callers.SetTokens(c.Callers.Tokens)
}
