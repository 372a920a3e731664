package fleet

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/policy/priority"
	"outrigger/proxy/admission"
	"outrigger/proxy/fleet/server"
	"outrigger/proxy/response"
	"outrigger/test/redisserver"
)

// pair returns two members of a fleet at a real server.
func pair(t *testing.T) (*Fleet, *Fleet) {
	t.Helper()
	redis := redisserver.Start(t)
	s, err := server.Parse("redis://" + redis.Addr)
	if err != nil {
		t.Fatal(err)
	}
	a, b := Open(s, false, notices{t}), Open(s, false, notices{t})
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	return a, b
}

// lease asks for a request and waits for the answer.
func (f *Fleet) leaseNow(t *testing.T, of admission.Account) admission.Lease {
	t.Helper()
	type answer struct {
		r  admission.Lease
		ok bool
	}
	done := make(chan answer, 1)
	f.Lease(of, admission.Ask{Ask: limit.Ask{Queue: priority.Counts{0, 1, 0}}}, func(r admission.Lease, ok bool) { done <- answer{r, ok} })
	a := <-done
	if !a.ok {
		t.Fatal("no answer")
	}
	return a.r
}

func TestRefusal_OfOneIsKnownToAll(t *testing.T) {
	a, b := pair(t)
	payer, id := [32]byte{1}, [32]byte{2}
	of := admission.Account{Payer: payer, Model: "m"}
	a.leaseNow(t, of)
	b.leaseNow(t, of)
	refusal := &response.Buffered{
		Status: 429, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"error":{}}`),
		Verdict: classify.Verdict{Outcome: classify.OutcomeQuota, Trip: true, Scope: classify.Credential, Status: 429},
	}
	a.Remember(payer, id, refusal)
	a.background.Wait()
	b.leaseNow(t, of)
	got, at, gone := b.Find(payer, id)
	if got == nil || gone || time.Since(at) > time.Second {
		t.Fatalf("%v %v %v", got, at, gone)
	}
	if got.Status != 429 || !bytes.Equal(got.Body, refusal.Body) || got.Verdict != refusal.Verdict {
		t.Errorf("%+v", got)
	}
	if !a.Probe(payer, id, time.Minute) || b.Probe(payer, id, time.Minute) {
		t.Error("two probes, or none")
	}
	a.Forget(payer, id)
	a.background.Wait()
	b.leaseNow(t, of)
	if got, _, gone := b.Find(payer, id); got != nil || !gone {
		t.Error("it is still known")
	}
	if !b.Probe(payer, id, time.Minute) {
		t.Error("the lock is still there")
	}
}
