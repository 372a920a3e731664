package storm

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// thought is how long the upstream takes for a usual answer.
const thought = 100 * time.Millisecond

// runs is how often the storms of pure chance are played: 300 calls alone would be off
// by more than their bounds allow.
const runs = 5

// failing is an upstream whose every call fails with 500 by chance, whatever the load.
func failing(probability float64) sim.Config {
	return sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusInternalServerError, Probability: probability}}}
}

// TestStormA_HalfOfAllAttemptsFail has an ill upstream: waiting helps nobody, trying again does.
func TestStormA_HalfOfAllAttemptsFail(t *testing.T) {
	together(t)
	s := weather{name: "A. 500 at 0.5", upstream: failing(0.5), calls: steady(20, 0, 15*time.Second, call{}), seeds: runs}
	s.ride(t, alone)
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 95.5)
	most(t, "calls per request", o.perRequest(), 2.2)
}

func TestStormB_AThirdOfAllAttemptsFails(t *testing.T) {
	together(t)
	s := weather{name: "B. 500 at 0.3", upstream: failing(0.3), calls: steady(20, 0, 15*time.Second, call{}), seeds: runs}
	s.ride(t, alone)
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 99.3)
	most(t, "calls per request", o.perRequest(), 1.6)
}

// TestStormC_MoreIsAskedThanTheUpstreamHasPlacesFor asks 150 per second for 10 s of 20
// places that give about 96 per second: ideal is 15.6 s.
func TestStormC_MoreIsAskedThanTheUpstreamHasPlacesFor(t *testing.T) {
	together(t)
	s := weather{
		name:     "C. 20 places, 150/s of about 96/s",
		upstream: sim.Config{Latency: 205 * time.Millisecond, Capacity: 20},
		calls:    steady(150, 0, 10*time.Second, call{}),
	}
	s.ride(t, alone)
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 99)
	most(t, "seconds until the last answer", o.makespan.Seconds(), 18.5)
	most(t, "calls per request", o.perRequest(), 1.2)
}

// TestStormD_ManyCallsAtOnceMeetFewPlaces needs 25 s if no place is ever idle.
func TestStormD_ManyCallsAtOnceMeetFewPlaces(t *testing.T) {
	together(t)
	s := weather{
		name:     "D. 8 places, 200 calls at once",
		upstream: sim.Config{Latency: time.Second, Capacity: 8},
		calls:    burst(200, call{}),
	}
	s.ride(t, alone)
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 100)
	most(t, "seconds until the last answer", o.makespan.Seconds(), 28)
	most(t, "calls per request", o.perRequest(), 1.2)
}

// TestStormE_OneBrokenEndpointHarmsNoOther has embeddings that always fail beside a healthy chat.
func TestStormE_OneBrokenEndpointHarmsNoOther(t *testing.T) {
	together(t)
	chats := steady(20, 0, 15*time.Second, call{})
	broken := sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusInternalServerError, Path: embeddingPath, Probability: 1}}}
	calm := weather{name: "E. chat without the embeddings", upstream: broken, calls: chats}.ride(t, through)
	s := weather{
		name: "E. embeddings broken, chat healthy", upstream: broken,
		calls: slices.Concat(chats, steady(20, 0, 15*time.Second, call{path: embeddingPath})),
	}
	o := s.ride(t, alone)
	t.Log(o.of(chatPath).line("E. chat", alone.name))
	o = s.ride(t, through)
	chat, embeddings := o.of(chatPath), o.of(embeddingPath)
	t.Log(chat.line("E. chat", through.name))
	t.Log(embeddings.line("E. embeddings", through.name))
	chat.tell(t)
	least(t, "success of chat in %", chat.success(), 100)
	most(t, "p99 of chat in seconds", chat.quantile(0.99).Seconds(), 2*calm.quantile(0.99).Seconds())
	for i, a := range embeddings.answers {
		if a.status != http.StatusInternalServerError || strings.Contains(a.body, "circuit_open") {
			t.Fatalf("embedding %d got %d %.200s, want the upstream's own 500", i, a.status, a.body)
		}
	}
}
