package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

const (
	// maxDetached is idempotency.maxDetached: how many calls may go on without a caller.
	maxDetached = 1024
	// oneDetached is the memory of which the part for them, idempotency.detachedShare, takes in
	// one and no answer (idempotency.detachedCost), in bytes.
	oneDetached = 4 * 48 << 10
)

// ledger is an upstream that notes how often it did what each body asks for, and answers
// after a while.
type ledger struct {
	after time.Duration
	mu    sync.Mutex
	done  map[string]int
}

func (l *ledger) serve(w http.ResponseWriter, r *http.Request, _ int) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	l.done[string(body)]++
	l.mu.Unlock()
	time.Sleep(l.after)
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"made":%q}`, body)
}

// twice counts what was done more than once.
func (l *ledger) twice() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, times := range l.done {
		if times > 1 {
			n++
		}
	}
	return n
}

// createOf is a create of caller's, with its i-th key.
func (g *rig) createOf(caller string, i int) *http.Request {
	r := g.keyed(fmt.Sprint(caller, i), "/v1/files", fmt.Sprintf(`{"%s":%d}`, caller, i))
	r.Header.Set("Authorization", "Bearer sk-"+caller)
	return r
}

// leaveAll makes n creates of caller's at once and leaves them all after a second.
func (g *rig) leaveAll(caller string, n int) {
	ctx, leave := context.WithTimeout(g.t.Context(), time.Second)
	defer leave()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if resp, err := g.client.Do(g.createOf(caller, i).WithContext(ctx)); err == nil {
				resp.Body.Close()
				g.t.Errorf("create %d was answered", i)
			}
		})
	}
	all.Wait()
	synctest.Wait()
}

// answersTo makes the n creates of caller's again, and counts how they are answered.
func (g *rig) answersTo(caller string, n int) map[string]int {
	got := map[string]int{}
	for i := range n {
		a := g.ask(g.createOf(caller, i))
		if a.status == http.StatusOK {
			a.body = a.source
		}
		got[fmt.Sprint(a.status, " ", a.body)]++
	}
	return got
}

func TestCallsWithoutACallerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{after: time.Minute, done: map[string]int{}}
		g := newBubble(t, l.serve, func(c *settings.Config) { c.Limit.Learn, c.Concurrency = false, settings.ConcurrencyOff }) // all are sent at once
		g.leaveAll("many", 1000)
		const half = maxDetached / 2
		if got := g.proxy.calls.Detached.Load(); got.Calls != half || g.inflight() != half {
			t.Errorf("%+v go on without a caller and %d are in flight, want %d", got, g.inflight(), half)
		}
		g.leaveAll("other", 10)
		if got := g.proxy.calls.Detached.Load().Calls; got != half+10 {
			t.Errorf("%d go on, want all 10 of another credential beside %d", got, half)
		}
		for _, want := range []string{
			fmt.Sprintf("outrigger_detached_calls %d\n", half+10), "outrigger_detached_bytes ",
			fmt.Sprintf("outrigger_idempotency_total{result=\"crowded\"} %d\n", 1000-half),
		} {
			if !strings.Contains(g.metricsText(), want) {
				t.Errorf("the metrics lack %q", want)
			}
		}
		time.Sleep(2 * time.Minute)
		if got := g.proxy.calls.Detached.Load(); got.Calls != 0 || got.Bytes != 0 {
			t.Errorf("%+v are counted when all have ended", got)
		}
		if got := fmt.Sprint(g.answersTo("other", 10)); got != "map[200 replay:10]" {
			t.Errorf("the other credential's creates are answered with %s", got)
		}
		want := fmt.Sprintf("map[200 replay:%d 409 idempotency_outcome_unknown:%d]", half, 1000-half)
		if got := fmt.Sprint(g.answersTo("many", 1000)); got != want {
			t.Errorf("the creates are answered with %s, want %s", got, want)
		}
		if n := l.twice(); n != 0 {
			t.Errorf("%d creates were done twice", n)
		}
	})
}

// What was never sent is free to be made again.
func TestACallThatIsEndedWhileItWaitsLeavesItsKeyFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{after: time.Minute, done: map[string]int{}}
		g := newBubble(t, l.serve, func(c *settings.Config) {
			c.MaxInflight, c.Bodies.MemoryMax = 1, oneDetached
		})
		g.background(g.createOf("first", 0))
		synctest.Wait()
		g.leaveAll("many", 3)
		time.Sleep(2 * time.Minute)
		if got := fmt.Sprint(g.answersTo("many", 3)); got != "map[200 upstream:3]" {
			t.Errorf("the creates that had waited are answered with %s", got)
		}
		if n := l.twice(); n != 0 {
			t.Errorf("%d creates were done twice", n)
		}
	})
}

// A refusal is an answer: what waits after one was not carried out.
func TestACallThatIsEndedAfterARefusalLeavesItsKeyFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := answers(429, `{"error":{"message":"Rate limit reached. Please try again in 30s.","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "30")
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				refused(w, r, n)
				return
			}
			numbered(0)(w, r, n)
		}, func(c *settings.Config) {
			c.Bodies.MemoryMax = oneDetached
		})
		g.leaveAll("many", 1)
		if got := g.counted("crowded"); got != "1" {
			t.Errorf("%s calls found no room", got)
		}
		time.Sleep(time.Minute)
		if got := fmt.Sprint(g.answersTo("many", 1)); got != "map[200 upstream:1]" {
			t.Errorf("the create is answered with %s", got)
		}
	})
}

func TestOnlyCallsWithoutACallerCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{after: time.Minute, done: map[string]int{}}
		g := newBubble(t, l.serve)
		for range 2 {
			g.background(g.createOf("two", 0)) // both wait for one call
		}
		for i := range maxDetached {
			g.background(g.createOf("stays", i))
		}
		g.leaveAll("two", 1)
		if got := g.proxy.calls.Detached.Load(); got.Calls != 0 || got.Bytes != 0 {
			t.Errorf("%+v count with their callers there", got)
		}
		g.leaveAll("back", 1)
		before := g.proxy.calls.Detached.Load().Calls
		g.background(g.createOf("back", 0))
		synctest.Wait()
		if after := g.proxy.calls.Detached.Load().Calls; before != 1 || after != 0 {
			t.Errorf("%d count when the caller had left, and %d when it was back", before, after)
		}
		time.Sleep(2 * time.Minute)
		if len(l.done) != maxDetached+2 || l.twice() != 0 {
			t.Errorf("%d were done, %d of them twice", len(l.done), l.twice())
		}
	})
}

// Without a key the same bound holds, for those that may be joined by a retry.
func TestAbandonedCallsLeaveRoomForOtherCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(time.Minute), rejoins)
		leave := func(caller string, n int) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range n {
				r := g.request(http.MethodPost, chatPath, chatBody).WithContext(ctx)
				r.Header.Set("Authorization", "Bearer sk-"+caller)
				g.background(r)
			}
			<-ctx.Done()
			synctest.Wait()
		}
		leave("many", maxDetached)
		leave("other", 3)
		if got, want := g.status().Idempotency.Abandoned, maxDetached/2+3; got != want || g.inflight() != want {
			t.Errorf("%d are abandoned and %d in flight, want %d", got, g.inflight(), want)
		}
		time.Sleep(2 * time.Minute)
		if got := g.proxy.calls.Detached.Load(); got.Calls != 0 || got.Bytes != 0 {
			t.Errorf("%+v are counted when all have ended", got)
		}
	})
}
