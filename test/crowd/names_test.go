package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// The memory that the process may take beside any number of names that callers make up, and
// what k8s/deployment.yaml gives it.
const (
	namesResident  = 80 * mebibyte
	manifestLimit  = 256 * mebibyte
	manifestBodies = "64MiB"
	manifestGo     = "200MiB"
)

// floods are what callers make up.
var floods = []string{"models", "credentials", "idempotency keys"}

// neighborRPM is the limit that the neighbor's model has. It is told in headers.
const neighborRPM = 6000

// TestMadeUpNamesTakeNoMemory has one caller make up models, credentials and idempotency keys
// beside a neighbor that uses one model as it should.
func TestMadeUpNamesTakeNoMemory(t *testing.T) {
	for _, what := range floods {
		t.Run("with defaults, "+what, func(t *testing.T) {
			o, n := besideNames(t, nil, []string{what})
			if what != "idempotency keys" { // whose credentials are in use
				n.back(o)
			}
			o.boundPeak(namesResident)
		})
	}
	t.Run("under the manifest's limit", func(t *testing.T) {
		c := newCgroup(t, manifestLimit)
		besideNames(t, c, floods, "OUTRIGGER_MEMORY_MAX="+manifestBodies, "GOMEMLIMIT="+manifestGo)
		if kills := c.kills(); kills != 0 {
			t.Errorf("%d processes were killed for want of memory", kills)
		}
	})
}

// neighbor makes good calls one after the other.
type neighbor struct {
	before  limiterStatus // what was learned of its model at first
	footing footprint
}

// limiterStatus is a limiter in /status.json.
type limiterStatus struct {
	Credential, Model string
	Unproven          bool
	State             struct {
		Buckets []struct {
			Dimension, Source string
			Limit             float64
		}
		Counters struct{ Refusals int }
	}
}

// limiters are those of the first upstream.
func (o *outrigger) limiters() []limiterStatus {
	o.t.Helper()
	var s struct {
		Upstreams []struct{ Limiters []limiterStatus }
	}
	_, body, err := o.ask("/status.json")
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err != nil || len(s.Upstreams) == 0 {
		o.t.Fatalf("/status.json: %v, %.200s", err, body)
	}
	return s.Upstreams[0].Limiters
}

func besideNames(t *testing.T, group *cgroup, floods []string, environment ...string) (*outrigger, *neighbor) {
	t.Helper()
	upstream := sim.New(sim.Config{
		Models: []string{"gpt-4o", "gpt-4o-mini"}, Limits: []meter.Limit{{RPM: neighborRPM}}, LedgerSize: 1,
	})
	server := httptest.NewServer(upstream)
	t.Cleanup(upstream.Close)
	t.Cleanup(server.Close)
	o := start(t, append([]string{"OUTRIGGER_UPSTREAMS=test=" + server.URL}, environment...)...)
	if group != nil {
		group.take(o.PID())
	}
	client := newClient(http1)
	t.Cleanup(client.CloseIdleConnections)

	call := func(model, key, idempotency string) result {
		body := fmt.Sprintf(`{"model":%q,"max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`, model)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.base+"/v1/chat/completions", bytes.NewReader([]byte(body)))
		if err != nil {
			return result{err: err}
		}
		request.Header.Set("Authorization", "Bearer "+key)
		request.Header.Set("Content-Type", "application/json")
		if idempotency != "" {
			request.Header.Set("Idempotency-Key", idempotency)
		}
		return do(client, request)
	}
	for range 10 {
		if r := call("gpt-4o", "sk-neighbor", ""); r.status != http.StatusOK {
			t.Fatalf("the neighbor gets status %d, %v, %s", r.status, r.err, r.text)
		}
	}
	n := &neighbor{footing: o.footprint()}
	if all := o.limiters(); len(all) == 1 && len(all[0].State.Buckets) > 0 {
		n.before = all[0]
	} else {
		t.Fatalf("the limiters are %+v, want the neighbor's with its limit", all)
	}

	complaints := newComplaints(t)
	over, calls := make(chan struct{}), []time.Duration(nil)
	var beside sync.WaitGroup
	beside.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
			begun := time.Now()
			if r := call("gpt-4o", "sk-neighbor", ""); r.status != http.StatusOK || r.header.Get("x-outrigger-attempts") != "1" {
				complaints.addf("the neighbor gets status %d after %q attempts, %v, %.300s", r.status, r.header.Get("x-outrigger-attempts"), r.err, r.text)
			}
			calls = append(calls, time.Since(begun))
		}
	})
	made := scaled(4_000, 20_000)
	kinds := map[string]struct {
		call func(i int) result
		want int
	}{
		"models":      {func(i int) result { return call(fmt.Sprintf("made-up-model-%d", i), "sk-flood", "") }, http.StatusNotFound},
		"credentials": {func(i int) result { return call("gpt-4o-mini", fmt.Sprintf("sk-made-up-%d", i), "") }, http.StatusOK},
		// With one credential they would wait for its limit, neighborRPM.
		"idempotency keys": {func(i int) result {
			return call("gpt-4o-mini", fmt.Sprintf("sk-keys-%d", i%8), fmt.Sprintf("key-%d", i))
		}, http.StatusOK},
	}
	for _, what := range floods {
		flood := kinds[what]
		each(made, 16, func(i int) {
			if r := flood.call(i); r.status != flood.want && r.status != http.StatusTooManyRequests {
				complaints.addf("made-up %s: status %d, %v, %.300s", what, r.status, r.err, r.text)
			}
		})
		if group == nil {
			o.boundPeak(namesResident)
		}
		t.Logf("after %d %s: %v, at most %d MiB, %d limiters", made, what, o.footprint(), o.peakResident()/mebibyte, len(o.limiters()))
	}
	close(over)
	beside.Wait()
	slices.Sort(calls)
	t.Logf("the neighbor made %d calls, of %v in the middle and %v at the most", len(calls), calls[len(calls)/2], calls[len(calls)-1])
	n.learned(o)
	return o, n
}

// boundPeak holds the most memory that the process ever had to a bound.
func (o *outrigger) boundPeak(most int64) {
	o.t.Helper()
	if peak := o.peakResident(); !raced && peak > most {
		o.t.Errorf("resident memory reached %d MiB, want at most %d", peak/mebibyte, most/mebibyte)
	}
}

// each calls f for 0 to n-1, some at once.
func each(n, at int, f func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range at {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
}

// learned fails the test unless what was learned of the neighbor's model is still there.
func (n *neighbor) learned(o *outrigger) {
	o.t.Helper()
	all := o.limiters()
	for _, l := range all {
		if l.Unproven {
			o.t.Errorf("a limiter is kept of %q, that does not exist", l.Model)
		}
	}
	i := slices.IndexFunc(all, func(l limiterStatus) bool { return l.Credential == n.before.Credential && l.Model == n.before.Model })
	if i < 0 {
		o.t.Fatalf("the neighbor's limiter is gone, of %d", len(all))
	}
	if got, want := all[i].State, n.before.State; !slices.Equal(got.Buckets, want.Buckets) || got.Counters.Refusals != 0 {
		o.t.Errorf("of the neighbor's model is known %+v, want %+v", got, want)
	}
}

// back waits until what made-up names took is free again, in the full form of the test.
func (n *neighbor) back(o *outrigger) {
	if !full {
		return
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 150*time.Second)
	defer cancel()
	for len(o.limiters()) > 1 {
		select {
		case <-ctx.Done():
			o.t.Fatalf("%d limiters are left after two minutes and a half", len(o.limiters()))
		case <-time.After(time.Second):
		}
	}
	o.t.Logf("at last: %v", o.footprint())
}
