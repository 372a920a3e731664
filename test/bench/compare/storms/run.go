package storms

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"outrigger/test/bench/compare/peers"
)

// Alone is the name of the SDK without anything between it and the upstream.
const Alone = "SDK alone"

// How many storms are played at once, by what is between: they wait more than they work.
const (
	together     = 3
	slowTogether = 2
)

// stagger is between the starts of two storms: many of them begin with a burst.
const stagger = 2 * time.Second

// Result is the scores by storm and way.
type Result struct {
	Scores map[string]map[string]Score `json:"scores"`
	// Notes say why a way is not there.
	Notes map[string]string `json:"notes,omitempty"`

	mu sync.Mutex
}

// Progress is told what is done, and the share of all that is done by then.
type Progress func(what string, share float64)

// way is the SDK alone or a peer, with a lane for each storm.
type way struct {
	name  string
	lanes []*lane
	run   *peers.Run
}

// Run plays the storms of those names, or all, in all ways. Those that take much CPU are
// played after the others, since the CPU is shared. The error is that of ctx, or of the
// simulator.
func Run(ctx context.Context, site peers.Site, list []peers.Peer, names []string, tell Progress) (*Result, error) {
	r := &Result{Scores: map[string]map[string]Score{}, Notes: map[string]string{}}
	chosen := slices.DeleteFunc(All(), func(s Storm) bool { return names != nil && !slices.Contains(names, s.Name) })
	fast, slow := []peers.Peer{{Name: Alone}}, []peers.Peer(nil)
	for _, p := range list {
		switch {
		case p.Name == peers.Bare: // it changes nothing: the same as the SDK alone
		case p.Slow:
			slow = append(slow, p)
		default:
			fast = append(fast, p)
		}
	}
	r.pass(ctx, site, fast, chosen, together, func(what string, share float64) { tell(what, share/2) })
	r.pass(ctx, site, slow, chosen, slowTogether, func(what string, share float64) { tell(what+", the slow ones", 0.5+share/2) })
	return r, ctx.Err()
}

// pass plays the storms in the ways that the list gives.
func (r *Result) pass(ctx context.Context, site peers.Site, list []peers.Peer, all []Storm, atOnce int, tell Progress) {
	var ways []*way
	defer func() {
		for _, w := range ways {
			w.close()
		}
	}()
	for i, p := range list {
		if ctx.Err() != nil {
			return
		}
		tell("start: "+p.Name, 0.1*float64(i)/float64(len(list)))
		w := &way{name: p.Name}
		if err := w.start(ctx, site, p, all); err != nil {
			r.Notes[p.Name] = err.Error()
			w.close()
			continue
		}
		ways = append(ways, w)
	}
	places := make(chan struct{}, atOnce)
	var playing sync.WaitGroup
	for i := range all {
		places <- struct{}{}
		if ctx.Err() != nil || len(ways) == 0 {
			break
		}
		tell("storm: "+all[i].Name, 0.1+0.9*float64(i)/float64(len(all)))
		select {
		case <-time.After(stagger):
		case <-ctx.Done():
		}
		playing.Go(func() {
			defer func() { <-places }()
			r.storm(ctx, ways, i, all[i].Name)
		})
	}
	playing.Wait()
}

// start makes a simulator for each storm, and has the peer stand before them.
func (w *way) start(ctx context.Context, site peers.Site, p peers.Peer, all []Storm) error {
	var upstreams []peers.Upstream
	for i := range all {
		l, err := newLane(&all[i])
		if err != nil {
			return err
		}
		w.lanes = append(w.lanes, l)
		upstreams = append(upstreams, l.upstream())
	}
	if p.Name == Alone {
		for _, l := range w.lanes {
			l.client = newClient(peers.Endpoint{URL: "http://" + l.addr})
		}
		return nil
	}
	var err error
	if w.run, err = p.Start(ctx, site, upstreams...); err != nil {
		return err
	}
	for i, l := range w.lanes {
		l.client = newClient(w.run.Endpoints[i])
	}
	return nil
}

func (w *way) close() {
	if w.run != nil { // first: a simulator that hangs waits for its callers
		w.run.Stop()
		w.run = nil
	}
	for _, l := range w.lanes {
		l.close()
	}
}

// storm plays one storm in all ways at once.
func (r *Result) storm(ctx context.Context, ways []*way, i int, name string) {
	var all sync.WaitGroup
	for _, w := range ways {
		all.Go(func() {
			score, err := w.lanes[i].play(ctx)
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.Notes[w.name] = fmt.Sprintf("%s: %v", name, err)
				return
			}
			if r.Scores[name] == nil {
				r.Scores[name] = map[string]Score{}
			}
			r.Scores[name][w.name] = score
		})
	}
	all.Wait()
}
