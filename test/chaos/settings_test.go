package chaos

import (
	"fmt"
	"math/rand/v2"
)

// axis is a setting and the values that a walk gives it. All can be changed by a reload.
type axis struct {
	name   string
	values []string
}

var axes = []axis{
	{"OUTRIGGER_TIMEOUT", []string{"6s", "10s"}},
	{"OUTRIGGER_ATTEMPT_TIMEOUT", []string{"off", "400ms", "1s", "2500ms"}},
	{"OUTRIGGER_CONNECT_TIMEOUT", []string{"200ms", "1s"}},
	{"OUTRIGGER_STREAM_IDLE_TIMEOUT", []string{"10s", "20s"}}, // not less: callers on a busy machine are as slow
	{"OUTRIGGER_RETRY_MAX", []string{"0", "2", "7"}},
	{"OUTRIGGER_RETRY_BASE", []string{"0s", "20ms", "200ms"}},
	{"OUTRIGGER_RETRY_CAP", []string{"200ms", "2s"}},
	{"OUTRIGGER_RETRY_BUDGET", []string{"0", "0.2", "2"}},
	{"OUTRIGGER_BREAKER_RATIO", []string{"0", "0.5"}},
	{"OUTRIGGER_BREAKER_MIN", []string{"5", "20"}},
	{"OUTRIGGER_BREAKER_CONSECUTIVE", []string{"-1", "0", "5"}},
	{"OUTRIGGER_BREAKER_OPEN", []string{"100ms", "1s"}},
	{"OUTRIGGER_BREAKER_WAIT", []string{"off", "2s", "30s"}},
	{"OUTRIGGER_MAX_INFLIGHT", []string{"0", "64", "400"}},
	{"OUTRIGGER_CONCURRENCY", []string{"learn", "off"}},
	{"OUTRIGGER_LEARN", []string{"true", "false"}},
	{"OUTRIGGER_QUEUE_TIMEOUT", []string{"off", "1s"}},
	{"OUTRIGGER_FAILOVER", []string{"none", "breaker,unreachable,overloaded", "breaker,unreachable,overloaded,rate_limited,quota"}},
	{"OUTRIGGER_CLIENT_RETRIES", []string{"suppress", "allow"}},
	{"OUTRIGGER_LOG_LEVEL", []string{"error"}},
}

// settings are a place of the walk: one value of each axis, and the upstreams at the addresses.
// Both lead to the same upstream, whose ledger would show what was done at each.
func settings(random *rand.Rand, addresses []string) []string {
	all := make([]string, 0, len(axes)+1)
	for _, a := range axes {
		all = append(all, a.name+"="+a.values[random.IntN(len(a.values))])
	}
	if len(addresses) == 1 {
		return append(all, "OUTRIGGER_UPSTREAMS=one=http://"+addresses[0])
	}
	one, two := "one=http://"+addresses[0], "two=http://"+addresses[1]
	upstreams := []string{one, one + "," + two, one + "," + two, two + "," + one}
	return append(all, "OUTRIGGER_UPSTREAMS="+upstreams[random.IntN(len(upstreams))])
}

// process's own settings, which no reload can change.
func fixed(random *rand.Rand, store string) []string {
	pick := func(values ...string) string { return values[random.IntN(len(values))] }
	return []string{
		"OUTRIGGER_STORE=" + store, "OUTRIGGER_IDEMPOTENCY_TTL=5m", "OUTRIGGER_IDEMPOTENCY_BYTES=32MiB",
		"OUTRIGGER_MAX_CONNECTIONS=20000", // else idle ones are closed, one of which a caller may just use
		"OUTRIGGER_BODY_MEMORY=" + pick("0", "16KiB", "1MiB"),
		"OUTRIGGER_REJOIN=" + pick("off", "2s"),
		fmt.Sprintf("OUTRIGGER_MEMORY_MAX=%dMiB", 128+64*random.IntN(3)),
	}
}
