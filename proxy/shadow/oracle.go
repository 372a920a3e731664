package shadow

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
)

// Ask is an attempt of a shadow.
type Ask struct {
	Key
	Own    *Real         // the shadow's own call
	Number int           // of the attempt; 1 is the first
	Queued time.Duration // in queues for limits so far
	Held   time.Duration // at open breakers so far
}

// late is from when on an attempt is another one than the real call, at another moment.
const late = 50 * time.Millisecond

// Answer answers a shadow's attempt as the upstream would have, as far as can be told. It takes
// as long.
func (c *Calls) Answer(req *http.Request, a Ask) (*http.Response, error) {
	began := time.Now()
	own := a.Number == 1 && began.Sub(a.Own.shown) < late
	p := &played{ctx: req.Context(), base: began}
	r := c.chosen(p, a, own)
	if r == nil { // nothing was ever seen of this upstream and model
		return unseen(req), nil
	}
	p.real = r
	p.release, p.early = c.enter(a.Key, r)
	if own = own && r == a.Own; own {
		p.base = a.Own.start
	}
	resp, err := p.answer(req)
	if err != nil || resp.Body == http.NoBody {
		p.release()
	}
	if err == nil && !own {
		dated(resp.Header)
	}
	return resp, err
}

// chosen returns the call that stands in for an attempt. own says that it is the real call, at its
// time.
func (c *Calls) chosen(p *played, a Ask, own bool) *Real {
	r := a.Own
	if !own && (a.Number > 1 || a.Held > 0) {
		c.mu.Lock()
		r = standIn(&c.group(a.Key).begun, a.Own)
		c.mu.Unlock()
	}
	if r == nil {
		return nil
	}
	v, known := p.await(r)
	if !known {
		return r
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.group(a.Key)
	if !own {
		return g.cured(r, v, a)
	}
	if running := g.running(r); isLoad(v) && running >= fewest && float64(g.shadows) < share*float64(running) {
		if well := g.well(&g.sound); well != nil {
			return well // the shadows hold back what it was refused for
		}
	}
	return r
}

// cured returns what a paced attempt gets where r is what it would get unpaced.
func (g *group) cured(r *Real, v classify.Verdict, a Ask) *Real {
	places, known := g.load.places()
	full := known && g.shadows >= places
	switch {
	case !isLoad(v):
		if full && v.Outcome == classify.OutcomeOK && time.Since(g.load.last.start) < span {
			return g.load.last
		}
	case v.Proven && a.Queued > 0:
		if well := g.well(&g.served); well != nil {
			return well
		}
	case known && !full:
		if well := g.well(&g.sound); well != nil {
			return well
		}
	}
	return r
}

// enter counts an attempt that gets what r got while it runs, until the function returned is
// called. It returns too how long an answer is on its way, which a refusal tells.
func (c *Calls) enter(k Key, r *Real) (func(), time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.refused.Load() {
		return func() {}, 0
	}
	g, left := c.group(k), false
	g.shadows++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !left {
			left = true
			g.shadows--
		}
	}, g.load.refusal
}
