package demo

import (
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

// Best is the time that the limit alone needs for the burst: a second's worth at
// once and the rest at the limit's pace.
const Best = time.Duration(chats-rpm/60) * time.Minute / rpm

// Upstream returns the configuration of both sides' simulated upstream: a limit
// of 1200 requests per minute that refused calls count against, as OpenAI's do,
// and the faults of a bad day.
func Upstream() sim.Config {
	return sim.Config{
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
	}
}
