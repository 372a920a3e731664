package scenario

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
)

// createFaults are those of the promise: 20 % of the calls are cut after the work
// and 20 % before it, 10 % draw a 429 and 10 % a 503.
func createFaults() []fault.Rule {
	return []fault.Rule{
		{Kind: fault.KindReset, After: true, Probability: 0.2},
		{Kind: fault.KindReset, Probability: 0.2 / 0.8},
		{Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Probability: 0.1 / 0.6},
		{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Probability: 0.1 / 0.5},
	}
}

func TestACreateIsNeverCarriedOutTwiceAndEveryLossIsTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const each = 150
	g := newRig(t, sim.Config{Seed: 3})
	input := g.upload("input")
	if err := g.sim.SetFaults(createFaults()...); err != nil {
		t.Fatal(err)
	}
	type end struct {
		status int
		answer string
	}
	ends := make([]end, 2*each)
	slots := make(chan struct{}, 20)
	var wg sync.WaitGroup
	for i := range ends {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			id := strconv.Itoa(i)
			path, contentType, body := "/batches", "application/json",
				[]byte(`{"input_file_id":"`+input+`","metadata":{"n":"`+id+`"},"endpoint":"/v1/chat/completions","completion_window":"24h"}`)
			if i < each {
				path = "/files"
				contentType, body = file(id)
			}
			ends[i].status, ends[i].answer = g.call(t.Context(), id, http.MethodPost, path, contentType, body)
		})
	}
	wg.Wait()

	if twice := g.sim.Duplicates(); len(twice) > 0 {
		t.Errorf("%d creates were carried out twice: %+v", len(twice), twice[0])
	}
	counts := map[int]int{}
	for i, e := range ends {
		counts[e.status]++
		tries := g.sim.Ledger().Entries(ledger.Filter{Request: strconv.Itoa(i)})
		lost := len(tries) > 0 && tries[len(tries)-1].Status == 0
		switch {
		case e.status == http.StatusOK && !lost:
		case lost && e.status == http.StatusFailedDependency && strings.Contains(e.answer, "upstream_ambiguous"):
		default:
			t.Errorf("request %d ended with %d after %d tries, the last of which had status %d: %.200s",
				i, e.status, len(tries), tries[len(tries)-1].Status, e.answer)
		}
	}
	t.Logf("%d creates: %v", len(ends), counts)
}
