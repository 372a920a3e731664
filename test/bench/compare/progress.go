package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// progress shows how far a run is: one line that is drawn anew on a terminal, or a line
// whenever a new step begins.
type progress struct {
	began    time.Time
	terminal bool
	last     string
}

func newProgress() *progress {
	info, err := os.Stderr.Stat()
	return &progress{began: time.Now(), terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

const barWidth = 30

// show tells what is being done, and the share of the whole run that is done.
func (p *progress) show(what string, share float64) {
	took := time.Since(p.began).Round(time.Second)
	full := int(min(1, max(0, share)) * barWidth)
	if p.terminal {
		_, _ = fmt.Fprintf(os.Stderr, "\r\x1b[2K[%s%s] %3.0f %% %6s  %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*share, took, what)
		return
	}
	step, _, _ := strings.Cut(what, ":")
	if step != p.last {
		p.last = step
		_, _ = fmt.Fprintf(os.Stderr, "%3.0f %% %6s  %s\n", 100*share, took, what)
	}
}

// end leaves the line.
func (p *progress) end() {
	if p.terminal {
		_, _ = fmt.Fprintln(os.Stderr)
	}
}
