package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"outrigger/internal/sim"
)

// The upstream of the second scene has places for few, and refuses the rest as OpenAI
// does when it is full.
const (
	places       = 20
	crowd        = 200
	placeTime    = 400 * time.Millisecond
	bestFullTime = crowd / places * placeTime
)

// fullHouse is an upstream that can work on a few calls at once, and many that come.
func fullHouse() Scene {
	return Scene{
		Intro:    fmt.Sprintf("Now an upstream that works on %d calls at once and answers 503 to the rest: %d calls come.", places, crowd),
		Upstream: sim.Config{Seed: 7, Latency: placeTime, Capacity: places},
		title:    fmt.Sprintf("%d calls at once, %d places upstream", crowd, places),
		total:    crowd,
		call: func(ctx context.Context, c *client, i int) result {
			return c.chat(ctx, strconv.Itoa(i), limitedModel, false)
		},
		rows: []row{
			{"complete answers", completeShare(crowd)},
			{"failures that the app was told of", func(c Count) string { return strconv.Itoa(c.Told) }},
			{"upstream calls per request", callsPerRequest(crowd)},
			{fmt.Sprintf("last complete answer (places need %.1f s)", bestFullTime.Seconds()), lastAnswer},
		},
	}
}
