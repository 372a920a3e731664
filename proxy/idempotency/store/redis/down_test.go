package redis

import (
	"errors"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/redisserver"
	"outrigger/test/storetest"
)

// bounded is how long a call may take while Redis is down: an exchange that fails, and slack
// for a busy machine. It guards against hanging; it is no measurement.
const bounded = 10 * timeout

// fails reports whether Begin fails, as it must while Redis is down, within bounded time.
func fails(t testing.TB, s *Store, call claims.Call) bool {
	t.Helper()
	begin := time.Now()
	claim, err := s.Begin(t.Context(), call)
	if took := time.Since(begin); took > bounded {
		t.Errorf("Begin took %v", took)
	}
	if err != nil && !errors.Is(err, claims.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	if err == nil && claim.State == claims.Claimed {
		if err := s.Release(t.Context(), claim); err != nil && !errors.Is(err, claims.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	return err != nil
}

func TestRedisMayBeDownAtStartAndStop(t *testing.T) {
	server := redisserver.Start(t)
	server.Stop(t)
	s := openShared(t, server.Addr, storetest.Roomy())
	if !fails(t, s, storetest.NewCall(true)) {
		t.Error("began without Redis")
	}
	if _, err := s.HashKey(t.Context()); !errors.Is(err, claims.ErrUnavailable) {
		t.Errorf("HashKey: %v, want ErrUnavailable", err)
	}
	server.Run(t)
	call := storetest.NewCall(true)
	eventually(t, "it begins once Redis is there", is(t, s, call, claims.Claimed))
	if _, err := s.HashKey(t.Context()); err != nil {
		t.Errorf("HashKey: %v", err)
	}
	server.Stop(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// outages are the ways in which a Redis goes down and comes back.
func outages(server *redisserver.Server, link *redisserver.Link) map[string][2]func(testing.TB) {
	return map[string][2]func(testing.TB){
		"stopped":     {server.Stop, server.Run},
		"paused":      {server.Pause, server.Resume},
		"partitioned": {func(testing.TB) { link.Cut() }, func(testing.TB) { link.Mend() }},
	}
}

func TestRedisIsUsedAgainAfterAnOutage(t *testing.T) {
	for _, name := range []string{"stopped", "paused", "partitioned"} {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			link := redisserver.NewLink(t, server.Addr)
			away, back := outages(server, link)[name][0], outages(server, link)[name][1]
			s := openShared(t, link.Addr, storetest.Roomy())
			finished, released, kept := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(true)
			finish, release := storetest.MustBegin(t, s, finished, claims.Claimed), storetest.MustBegin(t, s, released, claims.Claimed)
			storetest.MustBegin(t, s, kept, claims.Claimed)
			secret := hashKeyOf(s)

			away(t)
			eventually(t, "it fails", func() bool { return fails(t, s, storetest.NewCall(true)) })
			before := time.Now()
			for range 1000 {
				if !fails(t, s, storetest.NewCall(true)) {
					t.Fatal("began without Redis")
				}
			}
			if took := time.Since(before); took > bounded {
				t.Errorf("a thousand calls without Redis took %v, want none to wait for it", took)
			}
			for what, err := range map[string]error{
				"Finish": s.Finish(t.Context(), finish, storetest.Created()), "Release": s.Release(t.Context(), release),
			} {
				if !errors.Is(err, claims.ErrUnavailable) {
					t.Errorf("%s: %v, want ErrUnavailable", what, err)
				}
			}
			if _, err := s.HashKey(t.Context()); err != nil {
				t.Errorf("HashKey: %v, want the one that is known", err)
			}

			back(t)
			eventually(t, "what was finished meanwhile is done", is(t, s, finished, claims.Done))
			storetest.MustBegin(t, s, kept, claims.Running)
			storetest.MustBegin(t, s, released, claims.Claimed)
			if hashKeyOf(s) != secret {
				t.Error("the hash key changed")
			}
		})
	}
}

// A claim whose reply was lost must not stay: nobody would ever end it.
func TestRedisClaimWithoutAReplyIsReleased(t *testing.T) {
	for _, name := range []string{"paused", "partitioned"} {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			link := redisserver.NewLink(t, server.Addr)
			away, back := outages(server, link)[name][0], outages(server, link)[name][1]
			asker, other := openShared(t, link.Addr, storetest.Roomy()), openShared(t, server.Addr, storetest.Roomy())
			storetest.MustBegin(t, asker, storetest.NewCall(true), claims.Claimed)
			storetest.MustBegin(t, other, storetest.NewCall(true), claims.Claimed)
			away(t)
			calls := []claims.Call{storetest.NewCall(true), storetest.NewCall(false), storetest.NewCall(true)}
			for _, call := range calls {
				if !fails(t, asker, call) {
					t.Fatal("began without Redis")
				}
			}
			back(t)
			eventually(t, "it begins again", is(t, asker, storetest.NewCall(true), claims.Claimed))
			eventually(t, "the queue is empty", func() bool { asker.mu.Lock(); defer asker.mu.Unlock(); return len(asker.queued) == 0 })
			for _, call := range calls {
				eventually(t, "the other begins", is(t, other, call, claims.Claimed))
			}
		})
	}
}

// A Redis that closes connections is asked again at once.
func TestRedisThatClosesConnectionsIsNotDown(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, storetest.Roomy())
	for range 20 {
		storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
		if err := s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err(); err != nil {
			t.Logf("CLIENT KILL: %v", err)
		}
		storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	}
	if downs := s.health.downs.Load(); downs != 0 {
		t.Errorf("it was taken for away %d times", downs)
	}
}

// A Redis whose clock is set must not count as one that answers too late for ever.
func TestRedisWhoseClockWasSetIsUnderstood(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, storetest.Roomy())
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
		s.health.clock.Add(ahead.Microseconds())
		storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	}
}

// hashKeyOf returns the hash key that s knows. The goroutine maintain may be writing it.
func hashKeyOf(s *Store) [32]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secret
}

// After a loss of data, the processes that are alive restore the hash key and their claims.
func TestRedisThatLosesItsDataGetsClaimsAgain(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 600 * time.Millisecond
	s := openLeased(t, server.Addr, storetest.Roomy(), lease)
	call := storetest.NewCall(true)
	claim := storetest.MustBegin(t, s, call, claims.Claimed)
	if err := s.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the claim is there again", func() bool { return s.client.Exists(t.Context(), keyOf(call.Key)).Val() == 1 })
	other := openShared(t, server.Addr, storetest.Roomy())
	storetest.MustBegin(t, other, call, claims.Running)
	if secret, err := other.HashKey(t.Context()); err != nil || secret != hashKeyOf(s) {
		t.Errorf("another hash key, %v", err)
	}
	if err := s.Finish(t.Context(), claim, storetest.Created()); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, other, call, claims.Done)
}

// An update that Redis never accepts must not keep the store unusable.
func TestRedisUpdateThatIsNeverAcceptedIsDropped(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, storetest.Roomy())
	claim := storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed)
	s.queueUpdate(update{claimed: &claimed{call: claim.Call, token: claim.Token}, state: "d", record: []byte("x"), status: 0})
	s.mu.Lock()
	s.queued[0].call.Key = claims.Key{1}
	s.mu.Unlock()
	if err := s.client.Set(t.Context(), keyOf(claims.Key{1}), "no hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.health.markDown(claims.ErrUnavailable)
	eventually(t, "it is up again", func() bool { return s.health.down() == nil })
	eventually(t, "the queue is empty", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.queued) == 0 })
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
}

func TestRedisQueueOfUpdatesIsBounded(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, claims.Limits{TTL: time.Hour, Bytes: 1 << 20})
	var held []claims.Claim
	for range 30 {
		held = append(held, storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed))
	}
	server.Stop(t)
	eventually(t, "it fails", func() bool { return fails(t, s, storetest.NewCall(true)) })
	for _, claim := range held {
		if err := s.Finish(t.Context(), claim, &claims.Answer{Status: 200, Body: make([]byte, 100<<10)}); !errors.Is(err, claims.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if most := int64(512 << 10); s.queuedBytes > most || s.queuedBytes < most/2 {
		t.Errorf("%d bytes are queued, want up to %d", s.queuedBytes, most)
	}
}
