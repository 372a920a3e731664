package cost

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/process"
)

// How the rounds run.
const (
	cpuRounds, cpuLasts         = 5, 1500 * time.Millisecond
	latencyRounds, latencyLasts = 5, 1500 * time.Millisecond
	firstRounds, firstLasts     = 3, 1500 * time.Millisecond
	eventRounds                 = 3
	memoryRounds                = 2

	firstPerSecond = 40
	mostStreams    = 10_000
	spare          = 1000 // descriptors that are not for streams
	openFor        = 12 * time.Second
	manyFor        = 25 * time.Second
	timeout        = 2 * time.Minute // of an attempt
)

// Progress is told what is done, and the share of all that is done by then.
type Progress func(what string, share float64)

// Bench is a set of peers, started.
type Bench struct {
	site     peers.Site
	peers    []peers.Peer
	upstream *process.Process
	addr     string
	runs     []*peers.Run
	subjects []*subject // Direct, and one for each peer that started
	result   Result
	tell     Progress
	done     float64 // of all that is to be told
}

// Run measures the peers. The error is that of ctx, or says why nothing could be measured.
func Run(ctx context.Context, site peers.Site, list []peers.Peer, tell Progress) (*Result, error) {
	b := &Bench{site: site, peers: list, tell: tell, result: Result{Rounds: map[Measure]map[string][]float64{}, Notes: map[string][]string{}}}
	defer b.stop()
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	b.cpu(ctx)
	b.latency(ctx)
	b.firstEvents(ctx)
	b.eventCosts(ctx)
	b.stopPeers()
	b.memory(ctx)
	b.result.ratios(CPU, Ratio, peers.Bare)
	b.result.ratios(Event, EventRate, peers.Bare)
	return &b.result, ctx.Err()
}

func (b *Bench) start(ctx context.Context) error {
	addr, err := process.FreeAddr()
	if err != nil {
		return err
	}
	b.addr = addr
	b.upstream, err = process.Start(ctx, process.Program{Path: b.site.Self, Args: []string{"upstream", addr}, Addr: addr}, timeout)
	if err != nil {
		return err
	}
	b.subjects = append(b.subjects, newSubject(Direct, peers.Endpoint{URL: "http://" + addr}, nil))
	for _, p := range b.peers {
		b.step("start", p.Name, 0.01)
		if s, run := b.launch(ctx, p); s != nil {
			b.subjects, b.runs = append(b.subjects, s), append(b.runs, run)
		}
	}
	if len(b.subjects) < 2 {
		return fmt.Errorf("no peer runs: %v", b.result.Notes)
	}
	return ctx.Err()
}

// launch starts a peer before the upstream and makes the first calls, or notes why it
// could not.
func (b *Bench) launch(ctx context.Context, p peers.Peer) (*subject, *peers.Run) {
	run, err := p.Start(ctx, b.site, peers.Upstream{Addr: b.addr, Timeout: timeout})
	if err != nil {
		b.result.note(p.Name, "does not start: "+err.Error())
		return nil, nil
	}
	s := newSubject(p.Name, run.Endpoints[0], run.Processes[0])
	if err := s.warm(ctx); err != nil {
		b.result.note(p.Name, "does not answer: "+err.Error())
		run.Stop()
		return nil, nil
	}
	return s, run
}

func (b *Bench) stopPeers() {
	for _, s := range b.subjects {
		s.close()
	}
	for _, run := range b.runs {
		run.Stop()
	}
	b.runs, b.subjects = nil, nil
}

func (b *Bench) stop() {
	b.stopPeers()
	if b.upstream != nil {
		b.upstream.Stop()
	}
}

// step tells what is about to be done, and that a share of all was done before.
func (b *Bench) step(what, name string, share float64) {
	b.tell(what+": "+name, b.done)
	b.done += share
}

// rounds visits each subject in turn, so many times. The parts are what it takes of all
// that is to be told.
func (b *Bench) rounds(ctx context.Context, what string, n int, part float64, visit func(s *subject) error) {
	for round := range n {
		for _, s := range b.subjects {
			if ctx.Err() != nil {
				return
			}
			b.step(fmt.Sprintf("%s, round %d of %d", what, round+1, n), s.name, part/float64(n*len(b.subjects)))
			if err := visit(s); err != nil && ctx.Err() == nil {
				b.result.note(s.name, what+": "+err.Error())
			}
		}
	}
}

// streams is how many streams the descriptors permit: a proxy has two for each.
func streams() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return min(mostStreams, (int(limit.Cur)-spare)/2)
}
