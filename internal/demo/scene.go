package demo

import (
	"context"

	"outrigger/internal/sim"
)

// Scene is one load, and the upstream that it meets.
type Scene struct {
	// Intro says in one sentence what is about to be seen.
	Intro string
	// Upstream is the configuration of both sides' simulated upstream.
	Upstream sim.Config

	title string // of the comparison
	total int    // calls, all made at once
	call  func(ctx context.Context, c *client, i int) result
	rows  []row  // of the comparison
	note  string // under it; may be empty
}

// row is a line of the comparison.
type row struct {
	what  string
	value func(Count) string
}

// Scenes are those of the demonstration, in their order.
func Scenes() []Scene { return []Scene{badDay(), fullHouse()} }
