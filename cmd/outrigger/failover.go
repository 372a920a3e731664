package main

import (
	"outrigger/proxy"
)

// checkFailover notes upstreams that failover would reach without a credential:
// the caller's goes to the first one's host alone. Found out in an outage, that
// would be a second one. Servers on this machine ask for none as a rule.
func checkFailover(c *Config, found *mistakes) {
	if len(c.Failover) == 0 || len(c.Upstreams) < 2 || found.have(prefix+"UPSTREAMS") {
		return
	}
	first := c.Upstreams[0]
	for _, u := range c.Upstreams[1:] {
		of := upstreamPrefix(u.Name)
		switch {
		case u.LendsKey(), u.CallerKey != proxy.CallerKeyAuto, proxy.SameHost(first.URL, u.URL), proxy.IsLoopback(u.URL):
		case found.have(of+"API_KEY", of+"HEADERS", of+"QUERY", of+"CALLER_KEY"):
		default:
			found.add(of+"API_KEY", "", "want a key: the caller's own is for the host of upstream "+first.Name+" and is not sent to this one. "+
				"Or set "+of+"CALLER_KEY: send if both hosts know the same keys, drop if this one asks for none; or "+
				prefix+"FAILOVER=none if it is only called as /@"+u.Name+"/")
		}
	}
}
