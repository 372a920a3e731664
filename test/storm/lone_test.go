package storm

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// TestALoneClientIsNoWorseOffInAnOutage has clients with more retries than usual, one
// call every few seconds. Straight, they survive. Behind Outrigger they must too, and
// make no more calls.
func TestALoneClientIsNoWorseOffInAnOutage(t *testing.T) {
	together(t)
	patient, claudeCode := officialSDK, officialSDK
	patient.retries = 8
	claudeCode.retries, claudeCode.longest, claudeCode.jitter = 10, 32*time.Second, 0.25
	tests := []struct {
		name   string
		client model
		like   call
		rule   fault.Rule
		lasts  time.Duration
	}{
		{"8 retries, 15 s of 503", patient, call{}, fault.Rule{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable}, 15 * time.Second},
		{"8 retries, 15 s of resets", patient, call{}, fault.Rule{Kind: fault.KindReset}, 15 * time.Second},
		{"Claude Code, 20 s of resets", claudeCode, call{path: messagesPath}, fault.Rule{Kind: fault.KindReset}, 20 * time.Second},
		{"Claude Code, 20 s of 529", claudeCode, call{path: messagesPath}, fault.Rule{Kind: fault.KindRow, Row: "anthropic/529_overloaded"}, 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var straight, behind outcome
			// With the client's shortest waits, since which of two draws is the longer is chance.
			hasty := tt.client
			hasty.hasty = true
			for second := range 10 { // the call comes at the outage's start, or later in it
				rule, lone := tt.rule, tt.like
				rule.Unread, rule.Stop = true, tt.lasts
				lone.at = time.Duration(second) * tt.lasts / 10
				s := weather{name: tt.name, upstream: sim.Config{Seed: uint64(second), Latency: thought, Faults: []fault.Rule{rule}}, calls: []call{lone}}
				straight = straight.and(s.quietly(t, way{model: hasty, straight: true}))
				behind = behind.and(s.quietly(t, way{model: tt.client}))
			}
			t.Log(straight.line(tt.name, "that client alone"))
			t.Log(behind.line(tt.name, "through Outrigger"))
			behind.tell(t)
			least(t, "success in %", behind.success(), straight.success())
			most(t, "calls per request", behind.perRequest(), straight.perRequest())
		})
	}
}

// TestAFewPatientClientsAreNoWorseOffInAnOutage is the same for a handful per second.
func TestAFewPatientClientsAreNoWorseOffInAnOutage(t *testing.T) {
	together(t)
	patient := officialSDK
	patient.retries = 8
	s := weather{
		name:     "5 clients with 8 retries, 15 s of 503",
		upstream: sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Unread: true, Start: time.Second, Stop: 16 * time.Second}}},
		calls:    steady(5, 0, 3*time.Second, call{}),
	}
	straight := s.ride(t, way{name: "that client alone", model: patient, straight: true})
	o := s.ride(t, way{name: "through Outrigger", model: patient})
	o.tell(t)
	least(t, "success in %", o.success(), straight.success())
	most(t, "calls per request", o.perRequest(), straight.perRequest())
}

// TestClientsThatHeedNoHeaderMakeNoMoreCalls has clients that repeat what Outrigger told
// them not to: AI SDK waits 2 s, doubled; LangChain.js 1 s, doubled, and up to as much again.
func TestClientsThatHeedNoHeaderMakeNoMoreCalls(t *testing.T) {
	together(t)
	tests := []struct {
		name   string
		client model
	}{
		{"AI SDK", model{retries: 2, first: 2 * time.Second, longest: time.Hour, deaf: true, agent: "ai/6.0.326 ai-sdk/provider-utils/4.0.65 runtime/node.js/v20.20.2"}},
		{"LangChain.js", model{retries: 6, first: time.Second, longest: time.Hour, jitter: 1, deaf: true, agent: "langchainjs-openai/1.0.0 ((node/v20.20.2; linux; x64))"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := weather{
				name:     tt.name + ", lasting 503",
				upstream: sim.Config{Faults: []fault.Rule{{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable}}},
				calls:    []call{{}}, seeds: 5,
			}
			straight := s.ride(t, way{name: "that client alone", model: tt.client, straight: true})
			o := s.ride(t, way{name: through.name, model: tt.client})
			most(t, "calls per request", o.perRequest(), straight.perRequest())
		})
	}
}
