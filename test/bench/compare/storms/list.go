package storms

import (
	"net/http"
	"slices"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// thought is how long the upstream takes for a usual answer.
const thought = 100 * time.Millisecond

// All are the storms, in the order of the table.
func All() []Storm {
	all := slices.Concat(limited(), broken(), away(), subtle())
	for i := range all {
		if all[i].timeout == 0 {
			all[i].timeout = usual
		}
		if all[i].upstream.Latency == 0 {
			all[i].upstream.Latency = thought
		}
		all[i].upstream.Seed = 7
	}
	return all
}

// limited are storms of an upstream that gives so much and no more.
func limited() []Storm {
	rate := meter.Limit{RPM: 1200, Burst: time.Second, CountRefusals: true}
	rateCalls := burst(200, call{})
	tokens := meter.Limit{TPM: 600_000, Burst: time.Second}
	tokenCalls := burst(120, call{tokens: 1000})
	capacityCalls := steady(75, 0, 8*time.Second, call{})
	slotCalls := burst(24, call{})
	slow := meter.Limit{RPM: 30 * 60, Burst: time.Second, Row: "openai/429_slow_down", Shared: true}
	slowCalls := slices.Concat(steady(10, 0, 5*time.Second, call{}), steady(80, 5*time.Second, 8*time.Second, call{}), steady(10, 8*time.Second, 14*time.Second, call{}))
	return []Storm{
		{
			Name: "rate", About: "200 calls at once, 1,200 requests per minute; refusals count",
			upstream: sim.Config{Limits: []meter.Limit{rate}}, calls: rateCalls, best: byRate(rate, rateCalls, thought),
		},
		{
			Name: "tokens", About: "120 calls of 1,000 tokens at once, 600,000 tokens per minute",
			upstream: sim.Config{Limits: []meter.Limit{tokens}}, calls: tokenCalls, best: byRate(tokens, tokenCalls, thought),
		},
		{
			Name: "capacity", About: "75 calls per second for 8 s, an upstream that can do 50",
			upstream: sim.Config{Latency: 200 * time.Millisecond, Capacity: 10}, calls: capacityCalls, best: bySlots(10, capacityCalls, 200*time.Millisecond),
		},
		{
			Name: "slots", About: "24 calls of 3 s at once, 4 at a time allowed",
			upstream: sim.Config{Latency: 3 * time.Second, Concurrency: []sim.Concurrency{{Places: 4, Row: "moonshot/429_concurrency"}}},
			calls:    slotCalls, best: bySlots(4, slotCalls, 3*time.Second),
		},
		{
			Name: "slow down", About: "a spike of 80 calls per second, Slow Down above 30",
			upstream: sim.Config{Limits: []meter.Limit{slow}}, calls: slowCalls, best: byRate(slow, slowCalls, thought),
		},
	}
}

// broken are storms of an upstream that fails by chance or in part.
func broken() []Storm {
	calls := steady(20, 0, 15*time.Second, call{})
	both := slices.Concat(calls, steady(20, 0, 15*time.Second, call{kind: embedding}))
	return []Storm{
		{
			Name: "half broken", About: "500 at every second attempt, by chance; 20 calls per second for 15 s",
			faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusInternalServerError, Probability: 0.5}},
			calls:  calls, best: byChance(calls, 0.5, 0, thought),
		},
		{
			Name: "one endpoint", About: "embeddings always fail, chats are well; success of the chats",
			faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusInternalServerError, Path: "/v1/embeddings", Probability: 1}},
			calls:  both, counts: func(k kind) bool { return k == chat }, best: byTime(both, 0, thought),
		},
	}
}

// away are storms of an upstream that is gone for a while.
func away() []Storm {
	const from, lasts = 5 * time.Second, 5 * time.Second
	calls := steady(20, 0, 15*time.Second, call{})
	flapping := steady(20, 0, 18*time.Second, call{})
	return []Storm{
		{
			Name: "flapping", About: "503 for 2 s of every 5",
			faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Unread: true, Stop: 2 * time.Second, Period: 5 * time.Second}},
			calls:  flapping, best: byTime(flapping, 17*time.Second, thought),
		},
		{
			Name: "outage", About: "503 for 5 of 15 s",
			outage: sim.Outage{Kind: sim.OutageStatus, For: lasts}, away: from, calls: calls, best: byTime(calls, from+lasts, thought),
		},
		{
			Name: "refused", About: "connections refused for 5 of 15 s",
			outage: sim.Outage{Kind: sim.OutageRefuse, For: lasts}, away: from, calls: calls, best: byTime(calls, from+lasts, thought),
		},
		{
			Name: "hang", About: "no answer for 5 of 15 s; attempts time out after 2 s where that can be set",
			outage: sim.Outage{Kind: sim.OutageHang, For: lasts}, away: from, calls: calls, timeout: 2 * time.Second, best: byTime(calls, from+lasts, thought),
		},
	}
}

// subtle are storms in which a retry can do harm.
func subtle() []Storm {
	creates := steady(10, 0, 15*time.Second, call{kind: upload})
	streams := steady(20, 0, 12*time.Second, call{kind: stream})
	return []Storm{
		{
			Name: "creates", About: "uploads; a fifth is done and its answer lost, a fifth lost before, a fifth refused",
			faults: []fault.Rule{ // each chance is of what the rules before have left
				{Kind: fault.KindReset, Path: "/v1/files", After: true, Probability: 0.2},
				{Kind: fault.KindReset, Path: "/v1/files", Probability: 0.2 / 0.8},
				{Kind: fault.KindStatus, Path: "/v1/files", Status: http.StatusTooManyRequests, Probability: 0.1 / 0.6},
				{Kind: fault.KindStatus, Path: "/v1/files", Status: http.StatusServiceUnavailable, Probability: 0.1 / 0.5},
			},
			calls: creates, best: byChance(creates, 0.4, 0.4, thought),
		},
		{
			Name: "cut streams", About: "a tenth of the streams begins with an error, a fifth is cut after 5 events",
			upstream: sim.Config{TokenDelay: 5 * time.Millisecond},
			faults: []fault.Rule{
				{Kind: fault.KindErrorEvent, Probability: 0.1},
				{Kind: fault.KindCutClean, Events: 5, Probability: 0.1 / 0.9},
				{Kind: fault.KindCutReset, Events: 5, Probability: 0.1 / 0.8},
			},
			calls: streams, best: byChance(streams, 0.7, 0.2, thought+16*5*time.Millisecond),
		},
	}
}
