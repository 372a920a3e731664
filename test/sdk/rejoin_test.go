package sdk

import (
	"testing"
	"time"
)

// patience is the clients' timeout, and slow how long the upstream takes to answer.
// No try of theirs alone can have an answer.
var patience = ptr(1.0)

const slow = "2.5s"

// slowCalls take that long, and create nothing.
var slowCalls = []string{"chat", "chat_stream", "embeddings", "responses"}

func TestAClientWithAShortTimeoutGetsTheAnswerOfItsFirstTry(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{latency: slow}, map[string]string{"REJOIN": "10s"})
		for i, o := range c.run(t, w, plan{Calls: slowCalls, Together: true, Timeout: patience}) {
			if o.Error != nil {
				t.Errorf("%s: %+v", slowCalls[i], o.Error)
			}
		}
		got := w.called(t)
		if got.upstream != len(slowCalls) || got.works != len(slowCalls) || got.again < len(slowCalls) {
			t.Errorf("%+v, want one call upstream for each of %d", got, len(slowCalls))
		}
		if joined := w.metric(t, "outrigger_idempotency_total"); joined < float64(2*len(slowCalls)) {
			t.Errorf("%v counted: want each call abandoned and joined", joined)
		}
	})
}

func TestAClientsRetryJoinsNothingUnlessItIsAskedFor(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{latency: slow}, nil)
		for i, o := range c.run(t, w, plan{Calls: slowCalls, Together: true, Timeout: patience}) {
			if o.Error == nil {
				t.Errorf("%s: %v, though no try had the time for it", slowCalls[i], o.Value)
			}
		}
		// The last one's end upstream may be some milliseconds behind its caller's.
		ended := func() bool {
			for _, e := range w.ledger(t) {
				if !e.Done {
					return false
				}
			}
			return true
		}
		for deadline := time.Now().Add(5 * time.Second); !ended() && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		// Go's client gives up when its own timeout ends a try.
		if got := w.called(t); got.upstream != got.outrigger || got.outrigger != len(slowCalls)+got.again {
			t.Errorf("%+v, want each try to be a call of its own", got)
		}
		if joined := w.metric(t, "outrigger_idempotency_total"); joined != 0 {
			t.Errorf("%v calls were abandoned or joined", joined)
		}
		for _, e := range w.ledger(t) {
			if !e.Done || e.Status != 0 || e.Duration > 2*time.Second {
				t.Errorf("a call that its caller left was not ended at once: %+v", e)
			}
		}
	})
}
