package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// The burst. Whole answers are limited to rpm; streams and uploads are not, so that
// on both sides all of them meet the faults.
const (
	rpm     = 1200
	chats   = 200
	streams = 60
	uploads = 40
	total   = chats + streams + uploads

	limitedModel  = "gpt-4o-mini"
	streamedModel = "gpt-4o"

	chatPath = "/chat/completions"
	filePath = "/files"
)

// best is the time that the limit alone needs for the burst: a second's worth at
// once and the rest at the limit's pace.
const best = time.Duration(chats-rpm/60) * time.Minute / rpm

// badDay is a limit of 1200 requests per minute that refused calls count against, as
// OpenAI's do, and the faults of a bad day.
func badDay() Scene {
	return Scene{
		Intro: "One burst, twice at the same time: straight at a simulated upstream, and through Outrigger.",
		Upstream: sim.Config{
			Seed:       7,
			Latency:    150 * time.Millisecond,
			TokenDelay: 10 * time.Millisecond,
			Limits:     []meter.Limit{{Model: limitedModel, RPM: rpm, Burst: time.Second, CountRefusals: true}},
			Faults: []fault.Rule{
				{Kind: fault.KindStatus, Path: "/v1" + chatPath, Status: 503, Probability: 0.05},
				{Kind: fault.KindReset, Path: "/v1" + chatPath, Probability: 0.03},
				{Kind: fault.KindErrorEvent, Path: "/v1" + chatPath, Events: 0, Probability: 0.1},
				{Kind: fault.KindCutClean, Path: "/v1" + chatPath, Events: 5, Probability: 0.2},
				{Kind: fault.KindReset, Path: "/v1" + filePath, After: true, Probability: 0.2},
				{Kind: fault.KindStatus, Path: "/v1" + filePath, Status: 503, Probability: 0.1},
			},
		},
		title: fmt.Sprintf("%d calls at once, %d of them limited to %d/min", total, chats, rpm),
		total: total,
		call:  oneOfTheBurst,
		rows: []row{
			{"complete answers", completeShare(total)},
			{"failures that the app was told of", func(c Count) string { return strconv.Itoa(c.Told) }},
			{"cut streams that looked complete", func(c Count) string { return strconv.Itoa(c.Silent) }},
			{"uploads that made a file twice", func(c Count) string { return strconv.Itoa(c.Duplicates) }},
			{"upstream calls per request", callsPerRequest(total)},
			{fmt.Sprintf("last complete answer (limit needs %.1f s)", best.Seconds()), lastAnswer},
		},
		note: "A call fails where it must: a stream that was cut midway cannot be repeated, and an upload whose\n" +
			"answer was lost is not sent again, because it may have been carried out.",
	}
}

// oneOfTheBurst makes the i-th call.
func oneOfTheBurst(ctx context.Context, c *client, i int) result {
	id := strconv.Itoa(i)
	switch {
	case i < chats:
		return c.chat(ctx, id, limitedModel, false)
	case i < chats+streams:
		return c.chat(ctx, id, streamedModel, true)
	}
	return c.upload(ctx, id)
}
