package proxy

import (
	"errors"
	"fmt"
	"strings"

	"outrigger/proxy/settings"
)

// ErrFixed is in the error of a Reload that would change what cannot change while a Proxy
// runs. The error names the variables.
var ErrFixed = errors.New("cannot change while Outrigger runs")

// Reload puts another configuration into force, which internal/config has validated, or
// returns an error and changes nothing. Requests that are on their way end under the
// configuration that they began with, and a stream does not notice. What was learned of an
// upstream that is still there, under its URL and its name or credential, is kept where it
// still holds. Bounds of what all requests share (rates, calls in flight, breakers, the
// retry budget) hold for all of them from now on, also for those that wait.
//
// What is tagged restart, such as the store, is fixed: see settings.Fixed. Safe for
// concurrent use.
func (p *Proxy) Reload(c settings.Config) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if len(c.Upstreams) == 0 {
		return ErrNoUpstream
	}
	if fixed := settings.Fixed(p.given, c); len(fixed) > 0 {
		return fmt.Errorf("%w: OUTRIGGER_%s", ErrFixed, strings.Join(fixed, ", OUTRIGGER_"))
	}
	p.given = c
	if p.observing != nil {
		c = c.Observed()
	}
	now := p.gen().Config
	c.Bodies, c.Store = now.Bodies, now.Store // less what others have of them
	p.swap(c)
	p.calls.SetTotal(c.Timeouts.Total)
	return nil
}
