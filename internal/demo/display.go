package demo

import (
	"fmt"
	"io"
	"strconv"
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
func watch(w io.Writer, terminal bool, scores []*Score, done <-chan struct{}) {
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
			fmt.Fprintf(w, "\x1b[2K%s\n", line(s.Name, s.Count(time.Now())))
		}
		select {
		case <-tick.C:
		case <-done:
			fmt.Fprintf(w, "\x1b[%dA", len(scores))
			for _, s := range scores {
				fmt.Fprintf(w, "\x1b[2K%s\n", line(s.Name, s.Count(time.Now())))
			}
			return
		}
	}
}

// line draws one side: complete answers, failures, and what still runs.
func line(name string, c Count) string {
	good, bad := c.Complete*barWidth/total, (c.Told+c.Silent)*barWidth/total
	bar := strings.Repeat("#", good) + strings.Repeat("x", bad) + strings.Repeat(".", barWidth-good-bad)
	return fmt.Sprintf("%-18s [%s] %3d of %d complete, %3d failed, %5.1f s, %4d upstream calls",
		name, bar, c.Complete, total, c.Told+c.Silent, c.Elapsed.Seconds(), c.Calls)
}

// report writes the comparison.
func report(w io.Writer, scores []*Score) {
	counts, names := make([]Count, len(scores)), make([]string, len(scores))
	for i, s := range scores {
		counts[i], names[i] = s.Count(time.Now()), s.Name
	}
	row := func(what string, value func(Count) string) {
		fmt.Fprintf(w, "%-44s", what)
		for i, c := range counts {
			fmt.Fprintf(w, " %*s", len(names[i])+4, value(c))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%-44s", fmt.Sprintf("%d calls at once, %d of them limited to %d/min", total, chats, rpm))
	for _, name := range names {
		fmt.Fprintf(w, "     %s", name)
	}
	fmt.Fprintln(w)
	row("complete answers", func(c Count) string { return fmt.Sprintf("%.1f %%", 100*float64(c.Complete)/total) })
	row("failures that the app was told of", func(c Count) string { return strconv.Itoa(c.Told) })
	row("cut streams that looked complete", func(c Count) string { return strconv.Itoa(c.Silent) })
	row("uploads that made a file twice", func(c Count) string { return strconv.Itoa(c.Duplicates) })
	row("upstream calls per request", func(c Count) string { return fmt.Sprintf("%.2f", float64(c.Calls)/total) })
	row(fmt.Sprintf("last complete answer (limit needs %.1f s)", Best.Seconds()),
		func(c Count) string { return fmt.Sprintf("%.1f s", c.Took.Seconds()) })
	fmt.Fprint(w, "\nA call fails where it must: a stream that was cut midway cannot be repeated, and an upload whose\n"+
		"answer was lost is not sent again, because it may have been carried out.\n")
}
