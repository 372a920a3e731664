package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// How the live display looks.
const (
	barWidth = 40
	frame    = 100 * time.Millisecond
)

// watch redraws both sides until done is closed. On anything but a terminal it
// writes nothing: the report follows.
func (scene Scene) watch(w io.Writer, terminal bool, scores []*Score, done <-chan struct{}) {
	if !terminal {
		<-done
		return
	}
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for first := true; ; first = false {
		if !first {
			fmt.Fprintf(w, "\x1b[%dA", len(scores)) // up again
		}
		for _, s := range scores {
			fmt.Fprintf(w, "\x1b[2K%s\n", scene.line(s.Name, s.Count(time.Now())))
		}
		select {
		case <-tick.C:
		case <-done:
			fmt.Fprintf(w, "\x1b[%dA", len(scores))
			for _, s := range scores {
				fmt.Fprintf(w, "\x1b[2K%s\n", scene.line(s.Name, s.Count(time.Now())))
			}
			return
		}
	}
}

// line draws one side: complete answers, failures, and what still runs.
func (scene Scene) line(name string, c Count) string {
	total := scene.total
	good, bad := c.Complete*barWidth/total, (c.Told+c.Silent)*barWidth/total
	bar := strings.Repeat("#", good) + strings.Repeat("x", bad) + strings.Repeat(".", barWidth-good-bad)
	return fmt.Sprintf("%-18s [%s] %3d of %d complete, %3d failed, %5.1f s, %4d upstream calls",
		name, bar, c.Complete, total, c.Told+c.Silent, c.Elapsed.Seconds(), c.Calls)
}

// report writes the comparison.
func (scene Scene) report(w io.Writer, scores []*Score) {
	fmt.Fprintf(w, "\n%-44s", scene.title)
	for _, s := range scores {
		fmt.Fprintf(w, "     %s", s.Name)
	}
	fmt.Fprintln(w)
	for _, r := range scene.rows {
		fmt.Fprintf(w, "%-44s", r.what)
		for _, s := range scores {
			fmt.Fprintf(w, " %*s", len(s.Name)+4, r.value(s.Count(time.Now())))
		}
		fmt.Fprintln(w)
	}
	if scene.note != "" {
		fmt.Fprintf(w, "\n%s\n", scene.note)
	}
}

func completeShare(total int) func(Count) string {
	return func(c Count) string { return fmt.Sprintf("%.1f %%", 100*float64(c.Complete)/float64(total)) }
}

func callsPerRequest(total int) func(Count) string {
	return func(c Count) string { return fmt.Sprintf("%.2f", float64(c.Calls)/float64(total)) }
}

func lastAnswer(c Count) string { return fmt.Sprintf("%.1f s", c.Took.Seconds()) }
