package demo

import (
	"context"
	"fmt"
	"io"
	"sync"

	"outrigger/internal/sim"
)

// Side is one way to the simulated upstream.
type Side struct {
	Name string
	Base string   // what an app would set OPENAI_BASE_URL to
	Sim  *sim.Sim // what stands at its end
}

// Play sends the scene's calls along both sides at once, draws their progress on a
// terminal, and writes the comparison. It returns the final counts, in the order
// of sides; the error is that of ctx.
func (scene Scene) Play(ctx context.Context, w io.Writer, terminal bool, sides ...Side) ([]Count, error) {
	fmt.Fprintf(w, "%s\n\n", scene.Intro)
	scores := make([]*Score, len(sides))
	var wg sync.WaitGroup
	for i, side := range sides {
		scores[i] = &Score{Name: side.Name, sim: side.Sim}
		c := newClient(side.Base)
		wg.Go(func() {
			defer c.close()
			scene.play(ctx, c, scores[i])
		})
	}
	done, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		scene.watch(w, terminal, scores, done)
	}()
	wg.Wait()
	close(done)
	<-drawn
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	scene.report(w, scores)
	counts := make([]Count, len(scores))
	for i, s := range scores {
		counts[i] = s.Count(s.stop)
	}
	return counts, nil
}
