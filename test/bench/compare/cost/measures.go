package cost

import (
	"context"
	"slices"
	"time"

	"outrigger/test/bench/compare/peers"
)

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// cpu has all connections busy. The first round of a subject only settles its pools and
// heap.
func (b *Bench) cpu(ctx context.Context) {
	settled := map[string]bool{}
	b.rounds(ctx, "CPU per request", cpuRounds+1, 0.2, func(s *subject) error {
		if s.process == nil {
			return nil
		}
		before, err := s.process.CPU()
		if err != nil {
			return err
		}
		calls, took, err := s.closed(ctx, cpuLasts)
		if err != nil {
			return err
		}
		after, err := s.process.CPU()
		if settled[s.name] && calls > 0 {
			b.result.add(CPU, s.name, milliseconds(after-before)/float64(calls)*1000)
			b.result.add(MostRate, s.name, float64(calls)/took.Seconds())
		}
		settled[s.name] = true
		return err
	})
}

// latency sends at half of what the bare proxy can take, or half of what the peer can, if
// that is less, and the same straight to the upstream right before.
func (b *Bench) latency(ctx context.Context) {
	most, ok := b.result.Quartiles(MostRate, peers.Bare)
	if !ok {
		return
	}
	direct := b.subjects[0]
	b.rounds(ctx, "latency at half load", latencyRounds, 0.25, func(s *subject) error {
		if s.process == nil {
			return nil
		}
		own, ok := b.result.Quartiles(MostRate, s.name)
		if !ok {
			return nil
		}
		rate := min(most[1], own[1]) / 2
		base, err := direct.open(ctx, rate, latencyLasts, direct.timed)
		if err != nil {
			return err
		}
		took, err := s.open(ctx, rate, latencyLasts, s.timed)
		if err != nil {
			return err
		}
		b.result.add(HalfRate, s.name, rate)
		b.result.add(AddedP50, s.name, milliseconds(quantile(took, 0.5)-quantile(base, 0.5)))
		b.result.add(AddedP99, s.name, milliseconds(quantile(took, 0.99)-quantile(base, 0.99)))
		return nil
	})
}

// firstEvents opens streams at a steady rate and takes the median of each round.
func (b *Bench) firstEvents(ctx context.Context) {
	direct := b.subjects[0]
	var base []time.Duration
	b.rounds(ctx, "time to first event", firstRounds, 0.15, func(s *subject) error {
		took, err := s.open(ctx, firstPerSecond, firstLasts, s.first)
		if s == direct {
			base = took
			return err
		}
		if err != nil || len(base) == 0 {
			return err
		}
		b.result.add(First, s.name, milliseconds(quantile(took, 0.5)-quantile(base, 0.5)))
		return nil
	})
}

func (b *Bench) eventCosts(ctx context.Context) {
	b.rounds(ctx, "CPU per event", eventRounds, 0.1, func(s *subject) error {
		if s.process == nil {
			return nil
		}
		each, err := s.perEvent(ctx)
		if err == nil {
			b.result.add(Event, s.name, float64(each)/float64(time.Microsecond))
		}
		return err
	})
}

// memory starts each peer anew, alone, and opens streams. Those that are slow to start or
// to open them have one round, and the many streams are opened in the last.
func (b *Bench) memory(ctx context.Context) {
	b.result.ManyStreams = streams()
	var slow []string
	for round := range memoryRounds {
		for _, p := range b.peers {
			if ctx.Err() != nil || slices.Contains(slow, p.Name) {
				continue
			}
			b.step("memory", p.Name, 0.2/float64(memoryRounds*len(b.peers)))
			began := time.Now()
			b.memoryOf(ctx, p, round == 0)
			if time.Since(began) > openFor+manyFor {
				slow = append(slow, p.Name)
			}
		}
	}
}

// memoryOf is one round of one peer.
func (b *Bench) memoryOf(ctx context.Context, p peers.Peer, many bool) {
	s, run := b.launch(ctx, p)
	if s == nil {
		return
	}
	defer run.Stop()
	defer s.close()
	rest(ctx, 300*time.Millisecond)
	b.resident(s, Idle)
	ctx, cancel := context.WithCancel(ctx)
	h := &held{cancel: cancel}
	defer h.end()
	if !h.hold(ctx, s, 1000, openFor) {
		b.result.note(p.Name, "did not open 1,000 streams within "+openFor.String())
		return
	}
	rest(ctx, 300*time.Millisecond)
	b.resident(s, Thousand)
	if !many || b.result.ManyStreams <= 1000 {
		return
	}
	if !h.hold(ctx, s, b.result.ManyStreams, manyFor) {
		b.result.note(p.Name, "did not open the many streams within "+manyFor.String())
		return
	}
	rest(ctx, 300*time.Millisecond)
	b.resident(s, Many)
}

func (b *Bench) resident(s *subject, m Measure) {
	size, err := s.process.Memory()
	if err != nil {
		b.result.note(s.name, "memory: "+err.Error())
		return
	}
	b.result.add(m, s.name, float64(size)/(1<<20))
}
