package config

import (
	"context"
	"time"

	"outrigger/proxy/fleet/server"
	"outrigger/proxy/settings"
)

// fleetTimeout bounds how long the fleet's server is tried. A sidecar at work waits for less,
// and connects again and again.
const fleetTimeout = 2 * time.Second

// checkFleet notes a URL that names no server, and a wish that is void without one.
func checkFleet(fleet settings.Fleet, found *mistakes) {
	if !fleet.Shared() {
		if fleet.Fail == settings.FleetFailClosed && !found.have(Prefix+"REDIS_URL") {
			found.add(Prefix+"FLEET_FAIL", string(fleet.Fail), "want "+Prefix+"REDIS_URL beside it: without it nothing is shared")
		}
		return
	}
	if _, err := server.Parse(fleet.URL.Reveal()); err != nil {
		found.add(Prefix+"REDIS_URL", "", err.Error())
	}
}

// probeFleet warns of a server that cannot be used now. It may be repaired while the process
// runs, so it keeps nothing from starting.
func (l *loading) probeFleet(ctx context.Context) {
	if !l.Fleet.Shared() || l.found.have(Prefix+"REDIS_URL") {
		return
	}
	s, err := server.Parse(l.Fleet.URL.Reveal())
	if err != nil { // a file of certificates that has changed since
		l.found.add(Prefix+"REDIS_URL", "", err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fleetTimeout)
	defer cancel()
	client := s.Client()
	defer func() { _ = client.Close() }()
	err = server.Check(ctx, s.Name, client)
	switch {
	case err == nil:
	case l.Fleet.Fail == settings.FleetFailClosed:
		l.warn(Prefix + "REDIS_URL: " + err.Error() + "; until it can be used, requests wait, for " + Prefix + "FLEET_FAIL is closed")
	default:
		l.warn(Prefix + "REDIS_URL: " + err.Error() + "; until it can be used, each sidecar keeps to its share of each limit")
	}
}
