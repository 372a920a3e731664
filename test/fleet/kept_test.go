package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestKept_NothingNamesTheCallerAndAllExpires reads everything that a fleet at work has
// written: no key and no value has the credential, the upstream or the model, and what is
// not a secret of the store's own expires.
func TestKept_NothingNamesTheCallerAndAllExpires(t *testing.T) {
	g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}, sidecars: 2})
	succeed(t, g.send(queues(call{label: "burst"}, 40, 20)))
	if err := g.sim.SetAccount(sim.Account{Credential: "*", Row: "openai/401_invalid_api_key_classic"}); err != nil {
		t.Fatal(err)
	}
	g.send(queues(call{label: "refused"}, 1, 1))
	client := g.redis.client(t)
	all := keys(t.Context(), t, client)
	if len(all) == 0 {
		t.Error("the fleet wrote no key")
	}
	lasting := 0
	for _, key := range all {
		value, err := client.Dump(t.Context(), key).Result()
		if err != nil {
			continue // it has expired
		}
		for _, word := range []string{"sk-fleet", "gpt-4o-mini", strings.TrimPrefix(g.upstream, "http://")} {
			if strings.Contains(key, word) || strings.Contains(value, word) {
				t.Errorf("%q is in the key %q or its value", word, key)
			}
		}
		left := client.PTTL(t.Context(), key).Val()
		t.Logf("%s: %d bytes, expires in %v", key, len(value), left)
		if left == -1 {
			lasting++
		}
	}
	most(t, "keys that do not expire", float64(lasting), 1)
}

// TestIdle_SidecarsSendRedisNextToNothing counts what a fleet sends that has worked and
// has nothing to do any more.
func TestIdle_SidecarsSendRedisNextToNothing(t *testing.T) {
	const sidecars, lasts = 4, 10 * time.Second
	g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}, sidecars: sidecars})
	before := g.redis.commands(t)
	succeed(t, g.send(queues(call{label: "burst"}, every(sidecars, 20)...)))
	t.Logf("Redis got %d commands for %d calls", g.redis.commands(t)-before, 20*sidecars)
	wait(g.ctx, 2*time.Second)
	before = g.redis.commands(t)
	wait(g.ctx, lasts)
	each := float64(g.redis.commands(t)-before-1) / sidecars / lasts.Seconds()
	most(t, "commands per second and idle sidecar", each, 1)
}

// commands is how many commands the server has had, this one included.
func (r *redis) commands(t *testing.T) int {
	t.Helper()
	info, err := r.client(t).InfoMap(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(info["Stats"]["total_commands_processed"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStore_MayUseTheFleetsServer has answers stored at the server that limits are shared
// over: the limit is shared, and what one sidecar stored the other replays.
func TestStore_MayUseTheFleetsServer(t *testing.T) {
	const replayed = 10
	server := startRedis(t, nil)
	url := "redis://" + server.addr
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}},
		sidecars: 2, url: url, environment: append([]string{"OUTRIGGER_STORE=" + url}, configured...),
	})
	start := time.Now()
	calls := queues(call{label: "burst"}, 60, 60)
	for i := range calls {
		calls[i].key = fmt.Sprint("burst-", calls[i].number)
	}
	answers := g.send(calls)
	succeed(t, answers)
	g.most("seconds that 120 calls take", last(answers, start, -1).Seconds(), 1.15*(120-rate)/rate)
	g.most("refused in %", g.seen("burst").refusedShare(), 3)
	other := 0
	for i := range replayed {
		c := call{label: "again", number: i, key: fmt.Sprint("again-", i)}
		c.named = c.name() // a call is the same only with the same headers
		first := g.do(c)
		c.sidecar = 1
		second := g.do(c)
		succeed(t, []answer{first, second})
		if second.source != "replay" || second.body != first.body {
			other++
		}
	}
	// A store that does not answer in time is done without.
	g.most("calls made again that are no replay", float64(other), 0)
	g.together(t, 2, time.Second)
}
