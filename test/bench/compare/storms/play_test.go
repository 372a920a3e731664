package storms

import (
	"context"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/test/bench/compare/peers"
)

// score plays a storm with the SDK alone.
func score(t *testing.T, s Storm) Score {
	t.Helper()
	s.upstream.Seed = 7
	l, err := newLane(&s)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.client = newClient(peers.Endpoint{URL: "http://" + l.addr})
	got, err := l.play(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPlay_CountsEveryKindOfCallInCalm(t *testing.T) {
	calls := []call{{}, {kind: stream}, {kind: embedding}, {kind: upload}, {at: 10 * time.Millisecond, kind: upload}}
	got := score(t, Storm{calls: calls})
	if got.Success != 100 || got.Calls != 1 || got.Duplicates != 0 || got.Silent != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPlay_CountsDuplicatesAndSilentTruncations(t *testing.T) {
	got := score(t, Storm{
		calls: []call{{kind: upload}, {kind: stream}},
		faults: []fault.Rule{
			{Kind: fault.KindReset, Path: "/v1/files", After: true, First: 1},
			{Kind: fault.KindCutClean, Events: 3, Probability: 1, Path: "/v1/chat"},
		},
	})
	if got.Duplicates != 1 || got.Silent != 1 || got.Calls != 1.5 {
		t.Errorf("got %+v, want a file that was made twice and a stream that was cut silently, for 3 calls", got)
	}
}

func TestPlay_OutageFailsWhatIsCounted(t *testing.T) {
	got := score(t, Storm{
		upstream: sim.Config{}, outage: sim.Outage{Kind: sim.OutageStatus, For: time.Minute},
		calls:  []call{{at: 100 * time.Millisecond}, {at: 100 * time.Millisecond, kind: embedding}},
		counts: func(k kind) bool { return k == chat },
	})
	if got.Success != 0 || got.Failure == "" || got.Calls != 3 {
		t.Errorf("got %+v, want a failure after three attempts each", got)
	}
}
