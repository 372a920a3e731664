package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/test/chance"
)

const (
	stormTime  = 30 * time.Second
	stormSlots = 64 // OUTRIGGER_MAX_INFLIGHT
	stormers   = 60 // callers at a time
)

// TestTrafficAmidRandomFaults sends half a minute of mixed traffic, from callers of
// every habit, through everything that the simulator can do wrong.
func TestTrafficAmidRandomFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 40 s")
	}
	n := chance.Seed(t) // the faults and the callers, though not their timing
	random := rand.New(rand.NewPCG(n, 0))
	simulator := sim.New(sim.Config{
		Seed: n, Latency: 3 * time.Millisecond, TokenDelay: time.Millisecond, Tokens: 40, Faults: randomFaults(random),
	})
	defer simulator.Close()
	upstream, err := simulator.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// Bounds that this traffic reaches, and waits that end within the test.
	o := start(t, "OUTRIGGER_UPSTREAMS=sim="+strings.TrimSuffix(upstream, "/v1"),
		"OUTRIGGER_TIMEOUT=8s", "OUTRIGGER_ATTEMPT_TIMEOUT=1500ms", "OUTRIGGER_STREAM_IDLE_TIMEOUT=1s",
		"OUTRIGGER_RETRY_BASE=20ms", "OUTRIGGER_RETRY_CAP=200ms", "OUTRIGGER_RETRY_AFTER_MAX=1s", "OUTRIGGER_TRIP_COOLDOWN=1s",
		"OUTRIGGER_BREAKER_OPEN=200ms", "OUTRIGGER_BREAKER_WAIT=3s", "OUTRIGGER_MAX_INFLIGHT="+strconv.Itoa(stormSlots),
		"OUTRIGGER_BODY_MEMORY=16KiB", "OUTRIGGER_MEMORY_MAX=1MiB", "OUTRIGGER_SPOOL_MAX=2MiB")
	before := o.footprint()

	clients := []*http.Client{newClient(http1), newClient(http2)}
	storm := &storm{t: t, base: o.base, clients: clients}
	over, cancel := context.WithTimeout(t.Context(), stormTime)
	defer cancel()
	var all sync.WaitGroup
	for i := range stormers {
		random := rand.New(rand.NewPCG(n, uint64(i)+1))
		all.Go(func() { storm.rage(over, random) })
	}
	all.Go(func() { outages(t, over, simulator) })
	all.Wait()
	if err := simulator.SetFaults(); err != nil {
		t.Fatal(err)
	}

	entries, struck := map[string][]ledger.Entry{}, map[fault.Kind]int{}
	for _, e := range simulator.Ledger().Entries(ledger.Filter{}) {
		entries[e.Request] = append(entries[e.Request], e)
		kind, _, _ := strings.Cut(e.Fault, " ")
		struck[fault.Kind(kind)]++
	}
	t.Logf("attempts upstream by what was done to them: %v", struck)
	for _, info := range fault.Kinds() {
		if struck[info.Kind] == 0 {
			t.Errorf("no request met %s", info.Kind)
		}
	}
	storm.judge(entries)
	for _, d := range simulator.Duplicates() {
		if strings.HasPrefix(d.Identity.Request, "create-") {
			t.Errorf("a create was carried out %d times: %+v", d.Works, d)
		}
	}
	o.calm(t, simulator, before, clients)
}

// randomFaults are rules of every kind, each with a small chance.
func randomFaults(random *rand.Rand) []fault.Rule {
	var rules []fault.Rule
	add := func(r fault.Rule) {
		r.Probability = 0.004 + 0.012*random.Float64()
		rules = append(rules, r)
	}
	for _, info := range fault.Kinds() {
		r := fault.Rule{
			Kind: info.Kind, Events: random.IntN(6), Rate: 5000, Bytes: 100 + random.IntN(200_000),
			For: time.Duration(random.IntN(3000)) * time.Millisecond,
		}
		switch info.Kind {
		case fault.KindRow:
			continue
		case fault.KindStatus:
			r.Status = 500 + random.IntN(3) // a 503 says that nothing was done: it may not follow work
		case fault.KindShortLength, fault.KindLongLength:
			r.Bytes = 1 + random.IntN(40)
		case fault.KindEndlessHeader:
			r.Bytes = 0
		}
		add(r)
		if info.Instead {
			r.After = true
			add(r)
			r.After, r.Unread = false, true
			add(r)
		}
	}
	for _, row := range fault.Rows() {
		r := fault.Rule{Kind: fault.KindRow, Row: row.ID(), Events: random.IntN(3), Path: "/v1/chat"}
		switch {
		case !row.Stream() && random.IntN(3) > 0:
			continue // a third of them
		case strings.Contains(row.Name, "responses"):
			r.Path = "/v1/responses"
		case row.Provider == "anthropic":
			r.Path = "/v1/messages"
		}
		add(r)
		rules[len(rules)-1].Probability /= 4
	}
	for _, shape := range []fault.Shape{fault.ShapeNested, fault.ShapeFlat, fault.ShapeFailed} {
		add(fault.Rule{Kind: fault.KindErrorEvent, Events: random.IntN(6), Shape: shape, Path: "/v1/responses"})
	}
	random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	return rules
}

// outages lets the upstream be away twice.
func outages(t *testing.T, over context.Context, simulator *sim.Sim) {
	for _, kind := range []sim.OutageKind{sim.OutageRefuse, sim.OutageReset} {
		wait(over, stormTime/4)
		if err := simulator.Outage(sim.Outage{Kind: kind, For: 1500 * time.Millisecond}); err != nil {
			t.Errorf("outage %s: %v", kind, err)
		}
	}
}

// calm looks at what the storm has left behind.
func (o *outrigger) calm(t *testing.T, simulator *sim.Sim, before footprint, clients []*http.Client) {
	t.Helper()
	until(t, "normal requests succeed and the breaker is closed", func() bool {
		r := chatAs(t.Context(), clients[0], o.base, fmt.Sprintf("sk-calm-%d", rand.Uint64()))
		s := o.status()
		return r.status == http.StatusOK && s.Upstreams[0].Breaker == "closed" && s.Upstreams[0].Waiting == 0 && s.queue() == 0 && s.Inflight == 0
	})
	// All slots are free: so many get through to an upstream that hangs, and no more.
	if err := simulator.Outage(sim.Outage{Kind: sim.OutageHang}); err != nil {
		t.Fatal(err)
	}
	simulator.Ledger().Reset()
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range stormSlots + 10 {
		all.Go(func() { chatAs(ctx, clients[i%2], o.base, fmt.Sprintf("sk-slot-%d", i)) })
	}
	held := func() int {
		n := 0
		for _, e := range simulator.Ledger().Entries(ledger.Filter{}) {
			if !e.Done {
				n++
			}
		}
		return n
	}
	until(t, "every slot is taken once", func() bool { return held() == stormSlots })
	leave()
	all.Wait()
	if err := simulator.Outage(sim.Outage{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	o.allFreed(t, before)
}

// chatAs asks for a completion with a key of its own: no limit learned in the storm is in its way.
func chatAs(ctx context.Context, client *http.Client, base, key string) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions",
		strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		return result{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+key)
	return do(client, request)
}
