package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
)

// TestModel plays random plans against the whole proxy in virtual time: statuses, named waits,
// connections that break before and after a call was carried out, answers that are cut, callers
// who leave or have little time, upstreams that are away, and a reload in the middle. After each
// every promise of the loop must have been kept: see modelRules.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := drawModelPlan(rt)
		var broken []string
		synctest.Test(t, func(t *testing.T) { broken = playModel(t, &plan) })
		if len(broken) > 0 {
			rt.Fatalf("%s\n%v", strings.Join(broken, "\n"), plan)
		}
	})
}

// modelResult is what a caller got.
type modelResult struct {
	Status        int
	Header        http.Header
	Body          string
	Err           error         // of the exchange, also of an answer that is not whole
	Headers, Over time.Duration // when the answer began, and when all was over
}

// modelRun is a plan and what came of it.
type modelRun struct {
	*modelPlan
	attempts [][]*modelAttempt
	results  []modelResult
	lines    map[string]int // log lines of requests, by id
	counted  int            // requests in the metrics
	held     string         // what was not given back
}

// playModel plays a plan, and returns the rules that were broken, those of the run in whole among them.
func playModel(t *testing.T, plan *modelPlan, whole ...func(*modelRun) string) []string {
	ups := newModelUpstreams(plan)
	s := newSeveral(t, plan.Before.apply, ups.serve(0), ups.serve(1))
	s.ways["upstream.test:80"] = ups.dial(0, s.wires[0].dial)
	s.ways["second.test:80"] = ups.dial(1, s.wires[1].dial)
	run := &modelRun{modelPlan: plan, results: make([]modelResult, len(plan.Calls))}
	var all sync.WaitGroup
	for i := range plan.Calls {
		all.Go(func() { run.results[i] = s.model(ups.start, i, &plan.Calls[i]) })
	}
	if plan.Reload > 0 {
		all.Go(func() {
			time.Sleep(plan.Reload)
			next := testConfig(t, "http://upstream.test")
			next.Bodies = s.proxy.given.Bodies
			next.Upstreams = append(next.Upstreams, at(t, "second", "http://second.test"))
			plan.After.apply(&next)
			if err := s.proxy.Reload(next); err != nil {
				t.Errorf("reload: %v", err)
			}
		})
	}
	all.Wait()
	time.Sleep(2 * time.Minute) // what goes on by itself ends
	synctest.Wait()
	ups.mu.Lock()
	run.attempts = ups.attempts
	ups.mu.Unlock()
	run.lines, run.held = modelLines(s.log.String()), s.modelHeld()
	run.counted = int(s.total("outrigger_requests_total"))
	broken := run.broken()
	for _, rule := range whole {
		if what := rule(run); what != "" {
			broken = append(broken, what)
		}
	}
	return broken
}

// model makes a call of a plan.
func (s *several) model(start time.Time, i int, c *modelCall) modelResult {
	time.Sleep(c.At)
	ctx := context.Background()
	if c.Leave > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Leave)
		defer cancel()
	}
	method, path, body := http.MethodPost, "/v1/chat/completions", fmt.Sprintf(`{"model":"m","user":"%d","stream":%t}`, i, c.Kind == modelStream)
	switch c.Kind {
	case modelRead:
		method, path, body = http.MethodGet, "/v1/models", ""
	case modelCreate:
		path, body = createPath, fmt.Sprintf(`{"name":"%d"}`, i)
	}
	r := with(s.request(method, path, body), modelHeader+": "+strconv.Itoa(i), "Authorization: Bearer sk-"+strconv.Itoa(c.Payer))
	if c.Timeout > 0 {
		r.Header.Set("X-Stainless-Timeout", strconv.Itoa(c.Timeout))
	}
	resp, err := s.client.Do(r.WithContext(ctx))
	result := modelResult{Err: err, Headers: time.Since(start)}
	if err == nil {
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		result.Status, result.Header, result.Body, result.Err = resp.StatusCode, resp.Header, string(text), err
	}
	result.Over = time.Since(start)
	return result
}

// modelLines counts the log's lines of requests.
func modelLines(log string) map[string]int {
	lines := map[string]int{}
	for scanner := bufio.NewScanner(strings.NewReader(log)); scanner.Scan(); {
		var line struct{ Msg, ID string }
		if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Msg == "request" {
			lines[line.ID]++
		}
	}
	return lines
}

// total is the sum of a counter's series.
func (s *several) total(name string) float64 {
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Error(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// modelHeld says what requests still hold when all are over.
func (s *several) modelHeld() string {
	memory, disk := s.held()
	if s.inflight() != 0 || memory != 0 || disk != 0 {
		return fmt.Sprintf("%d in flight, %d bytes in memory, %d on disk", s.inflight(), memory, disk)
	}
	for _, up := range s.proxy.gen().Upstreams {
		if !up.Slots.Idle() || up.Gate.Depth() != 0 {
			return fmt.Sprintf("%s: all slots free: %t, %d at the gate", up.Config.Name, up.Slots.Idle(), up.Gate.Depth())
		}
		queued := 0
		up.Queues.Each(time.Now(), func(_ []admission.Key, s limit.Snapshot, _ bool) { queued += s.Queue })
		if queued != 0 {
			return fmt.Sprintf("%s: %d in the queue", up.Config.Name, queued)
		}
	}
	return ""
}
