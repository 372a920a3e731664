package idempotency

import (
	"testing"

	"outrigger/proxy/call"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/recording"
	"outrigger/proxy/spool"
)

func TestNoMoreCallsAreAbandonedThanTheBound(t *testing.T) {
	const most = maxDetached / 2 // they are all of one credential
	a := &abandoned{detached: newDetached(spool.New(spool.Config{MemoryMax: 1 << 30}), 1<<30, 0)}
	a.end()
	flightOf := func(i int) *Flight {
		f := newFlight(testCall(i))
		f.Answer = recording.New(nil, 0)
		return f
	}
	if a.put(flightOf(1)) {
		t.Error("one is taken in during a drain")
	}
	a.over = false
	for i := range most {
		if !a.put(flightOf(i % 7)) {
			t.Fatalf("number %d is refused", i)
		}
	}
	if a.put(flightOf(0)) {
		t.Error("one more than the bound is taken in")
	}
	for i := range most {
		if f, _ := a.take(testCall(i % 7)); f == nil {
			t.Fatalf("number %d is gone", i)
		}
	}
	if f, _ := a.take(testCall(0)); f != nil || a.Count() != 0 || len(a.calls) != 0 {
		t.Errorf("%d are left", a.Count())
	}
}

func testCall(i int) claims.Call { return claims.Call{Key: claims.Key{byte(i)}} }

// room counts the memory that is reserved of it.
type room struct{ used int64 }

func (m *room) Reserve(n int64) bool {
	m.used += n
	return true
}

func (m *room) Free(n int64) { m.used -= n }

// made is a call that somebody else makes.
type made struct{ Execution }

func (made) Ended() Ended { return Ended{Upstream: true} }
func (made) Close()       {}
func (made) Alone(string) {}

// The retry has taken the call, but does not read yet, when the call ends.
func TestACallThatEndsWhileItsRetryComesIsNotMadeAgain(t *testing.T) {
	memory := &room{}
	d := newDetached(memory, 1<<30, 0)
	s := &Calls{Detached: d, Abandoned: &abandoned{detached: d, calls: map[claims.Call][]*Flight{}}, inflight: call.NewInflight()}
	f := newFlight(testCall(1))
	f.apart = attachment{in: d}
	f.Answer = recording.New(&f.apart, 1<<20)
	f.call, f.rejoin, f.create = made{}, true, true
	if !s.Abandoned.put(f) {
		t.Fatal("the call is refused")
	}
	got, seat := s.Abandoned.take(testCall(1))
	f.Answer.WriteHeader(200)
	_, _ = f.Answer.Write([]byte(`{"call":1}`))
	s.land(f, true)
	if got != f || !f.over {
		t.Fatal("the call has not ended")
	}
	status, _, err := seat.Header(t.Context())
	if p, _, _ := seat.Next(t.Context()); status != 200 || err != nil || string(p) != `{"call":1}` {
		t.Errorf("status %d, %v, %q", status, err, p)
	}
	seat.Close()
	if memory.used != 0 || d.Load() != (load{}) {
		t.Errorf("%d bytes are held, %+v", memory.used, d.Load())
	}
}
