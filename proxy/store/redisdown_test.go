package store

import (
	"errors"
	"testing"
	"time"

	"outrigger/test/redisserver"
)

// bounded is how long a call may take while Redis is away: an exchange that fails, and
// slack for a busy machine. It is a bound on hanging, not a measurement.
const bounded = 10 * redisTimeout

// fails reports what Begin says while Redis is away, which it must do in bounded time.
func fails(t testing.TB, s *shared, call Call) bool {
	t.Helper()
	begin := time.Now()
	claim, err := s.Begin(t.Context(), call)
	if took := time.Since(begin); took > bounded {
		t.Errorf("Begin took %v", took)
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	if err == nil && claim.State == Claimed {
		if err := s.Release(t.Context(), claim); err != nil && !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
	}
	return err != nil
}

func TestRedisIsNeededNeitherToStartNorToStop(t *testing.T) {
	server := redisserver.Start(t)
	server.Stop(t)
	s := openShared(t, server.Addr, roomy())
	if !fails(t, s, newCall(true)) {
		t.Error("began without Redis")
	}
	if _, err := s.HashKey(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("HashKey: %v, want ErrUnavailable", err)
	}
	server.Run(t)
	call := newCall(true)
	eventually(t, "it begins once Redis is there", is(t, s, call, Claimed))
	if _, err := s.HashKey(t.Context()); err != nil {
		t.Errorf("HashKey: %v", err)
	}
	server.Stop(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Each way in which a Redis goes away, and comes back.
func outages(server *redisserver.Server, link *redisserver.Link) map[string][2]func(testing.TB) {
	return map[string][2]func(testing.TB){
		"stopped":     {server.Stop, server.Run},
		"paused":      {server.Pause, server.Resume},
		"partitioned": {func(testing.TB) { link.Cut() }, func(testing.TB) { link.Mend() }},
	}
}

func TestRedisThatGoesAwayIsComeBackTo(t *testing.T) {
	for _, name := range []string{"stopped", "paused", "partitioned"} {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			link := redisserver.NewLink(t, server.Addr)
			away, back := outages(server, link)[name][0], outages(server, link)[name][1]
			s := openShared(t, link.Addr, roomy())
			finished, released, kept := newCall(true), newCall(true), newCall(true)
			finish, release := mustBegin(t, s, finished, Claimed), mustBegin(t, s, released, Claimed)
			mustBegin(t, s, kept, Claimed)
			secret := hashKeyOf(s)

			away(t)
			eventually(t, "it fails", func() bool { return fails(t, s, newCall(true)) })
			before := time.Now()
			for range 1000 {
				if !fails(t, s, newCall(true)) {
					t.Fatal("began without Redis")
				}
			}
			if took := time.Since(before); took > bounded {
				t.Errorf("a thousand calls without Redis took %v, want none to wait for it", took)
			}
			for what, err := range map[string]error{
				"Finish": s.Finish(t.Context(), finish, created()), "Release": s.Release(t.Context(), release),
			} {
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("%s: %v, want ErrUnavailable", what, err)
				}
			}
			if _, err := s.HashKey(t.Context()); err != nil {
				t.Errorf("HashKey: %v, want the one that is known", err)
			}

			back(t)
			eventually(t, "what was finished meanwhile is done", is(t, s, finished, Done))
			mustBegin(t, s, kept, Running)
			mustBegin(t, s, released, Claimed)
			if hashKeyOf(s) != secret {
				t.Error("the hash key changed")
			}
		})
	}
}

// A claim that was asked for and whose reply did not come must not stay: nobody would
// ever end it.
func TestRedisClaimWithoutAReplyDoesNotStay(t *testing.T) {
	for _, name := range []string{"paused", "partitioned"} {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			link := redisserver.NewLink(t, server.Addr)
			away, back := outages(server, link)[name][0], outages(server, link)[name][1]
			asker, other := openShared(t, link.Addr, roomy()), openShared(t, server.Addr, roomy())
			mustBegin(t, asker, newCall(true), Claimed)
			mustBegin(t, other, newCall(true), Claimed)
			away(t)
			calls := []Call{newCall(true), newCall(false), newCall(true)}
			for _, call := range calls {
				if !fails(t, asker, call) {
					t.Fatal("began without Redis")
				}
			}
			back(t)
			eventually(t, "it begins again", is(t, asker, newCall(true), Claimed))
			eventually(t, "nothing is owed", func() bool { asker.mu.Lock(); defer asker.mu.Unlock(); return len(asker.owed) == 0 })
			for _, call := range calls {
				eventually(t, "the other begins", is(t, other, call, Claimed))
			}
		})
	}
}

// A Redis that answers slowly for one moment is asked again at once.
func TestRedisThatClosesConnectionsIsNotAway(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, roomy())
	for range 20 {
		mustBegin(t, s, newCall(true), Claimed)
		if err := s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err(); err != nil {
			t.Logf("CLIENT KILL: %v", err)
		}
		mustBegin(t, s, newCall(true), Claimed)
	}
	if missed := s.health.missed.Load(); missed != 0 {
		t.Errorf("it was taken for away %d times", missed)
	}
}

// A Redis whose clock is set must not be taken for one that answers late for ever.
func TestRedisWhoseClockWasSetIsUnderstood(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, roomy())
	mustBegin(t, s, newCall(true), Claimed)
	for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
		s.health.clock.Add(ahead.Microseconds())
		mustBegin(t, s, newCall(true), Claimed)
	}
}

// hashKeyOf is the hash key that s knows; what watches the Redis may be writing it.
func hashKeyOf(s *shared) [32]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secret
}

// When all is lost with Redis, those who live tell the next one of the same hash key
// and of the claims they hold.
func TestRedisThatForgetsIsToldAgain(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 600 * time.Millisecond
	s := openLeased(t, server.Addr, roomy(), lease)
	call := newCall(true)
	claim := mustBegin(t, s, call, Claimed)
	if err := s.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the claim is there again", func() bool { return s.client.Exists(t.Context(), keyOf(call.Key)).Val() == 1 })
	other := openShared(t, server.Addr, roomy())
	mustBegin(t, other, call, Running)
	if secret, err := other.HashKey(t.Context()); err != nil || secret != hashKeyOf(s) {
		t.Errorf("another hash key, %v", err)
	}
	if err := s.Finish(t.Context(), claim, created()); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, other, call, Done)
}

// An answer that Redis never takes in time must not keep it from being used.
func TestRedisDebtThatIsNeverTakenIsForgiven(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, roomy())
	claim := mustBegin(t, s, newCall(false), Claimed)
	s.owe(debt{claimed: &claimed{call: claim.call, token: claim.token}, state: "d", record: []byte("x"), status: 0})
	s.mu.Lock()
	s.owed[0].call.Key = Key{1}
	s.mu.Unlock()
	if err := s.client.Set(t.Context(), keyOf(Key{1}), "no hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.health.fail(ErrUnavailable)
	eventually(t, "it is up again", func() bool { return s.health.well() == nil })
	eventually(t, "nothing is owed", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.owed) == 0 })
	mustBegin(t, s, newCall(true), Claimed)
}

func TestRedisOwesNoMoreThanItsShare(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, Limits{TTL: time.Hour, Bytes: 1 << 20})
	var claims []Claim
	for range 30 {
		claims = append(claims, mustBegin(t, s, newCall(true), Claimed))
	}
	server.Stop(t)
	eventually(t, "it fails", func() bool { return fails(t, s, newCall(true)) })
	for _, claim := range claims {
		if err := s.Finish(t.Context(), claim, &Answer{Status: 200, Body: make([]byte, 100<<10)}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if most := int64(512 << 10); s.owing > most || s.owing < most/2 {
		t.Errorf("%d bytes are owed, want up to %d", s.owing, most)
	}
}
