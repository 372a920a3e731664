package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/idempotency/claims"
	"outrigger/test/redisserver"
	"outrigger/test/storetest"

	goredis "github.com/redis/go-redis/v9"
)

func TestRedisDoesWhatAStoreDoes(t *testing.T) {
	server := redisserver.Start(t)
	storetest.Run(t, func(t *testing.T, c claims.Limits) claims.Store { return openShared(t, server.Addr, c) })
}

func TestRedisReadsAnswersOnlyWhileThereIsMemory(t *testing.T) {
	storetest.ReadsWithin(t, func(t *testing.T, room claims.Room) claims.Store {
		s := openShared(t, redisserver.Start(t).Addr, claims.Limits{TTL: time.Hour, Bytes: 8 << 20})
		s.room = room
		return s
	})
}

// redisAt returns a Redis without a password.
func redisAt(addr string) Server {
	return Server{URL: values.NewSecret("redis://" + addr), Name: "redis://" + addr}
}

func openShared(t testing.TB, addr string, c claims.Limits) *Store {
	t.Helper()
	return openLeased(t, addr, c, leaseTime)
}

func openLeased(t testing.TB, addr string, c claims.Limits, lease time.Duration) *Store {
	t.Helper()
	return openGraced(t, addr, c, lease, 0)
}

func openGraced(t testing.TB, addr string, c claims.Limits, lease, grace time.Duration) *Store {
	t.Helper()
	server := redisAt(addr)
	options, err := clientOptions(server)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(server, c, goredis.NewClient(options), slog.New(slog.DiscardHandler), storetest.Unbounded{}, lease, grace)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// die ends a store as a kill does: it tells Redis nothing.
func die(t testing.TB, s *Store) {
	t.Helper()
	s.end()
	s.background.Wait()
	if err := s.client.Close(); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until so returns true.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-late.C:
			t.Fatalf("never: %s", what)
		case <-again.C:
		}
	}
}

// is returns whether Begin finds a state, as a function for eventually.
func is(t testing.TB, s claims.Store, call claims.Call, want claims.State) func() bool {
	return func() bool {
		claim, err := s.Begin(t.Context(), call)
		if err == nil && claim.State == claims.Claimed && want != claims.Claimed {
			t.Fatalf("claimed, want %v", want)
		}
		return err == nil && claim.State == want
	}
}

func TestRedisSharesClaimsBetweenProcesses(t *testing.T) {
	server := redisserver.Start(t)
	one, two := openShared(t, server.Addr, storetest.Roomy()), openShared(t, server.Addr, storetest.Roomy())
	first, err := one.HashKey(t.Context())
	second, again := two.HashKey(t.Context())
	if err != nil || again != nil || first != second {
		t.Fatalf("hash keys %x, %v and %x, %v, want the same", first, err, second, again)
	}
	done, released, create := storetest.NewCall(true), storetest.NewCall(false), storetest.NewCall(true)
	claim := storetest.MustBegin(t, one, done, claims.Claimed)
	if other := storetest.MustBegin(t, two, done, claims.Running); !other.Since.Equal(claim.Since) {
		t.Errorf("since %v, want %v", other.Since, claim.Since)
	}
	all, found := storetest.Waiters(t, two, done, 3)
	if err := one.Finish(t.Context(), claim, storetest.Created()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	found.Range(func(_, c any) bool {
		if claim := c.(claims.Claim); claim.State != claims.Done || !bytes.Equal(claim.Answer.Body, storetest.Created().Body) {
			t.Errorf("waited and got %v", claim.State)
		}
		return true
	})
	if err := errors.Join(
		one.Release(t.Context(), storetest.MustBegin(t, one, released, claims.Claimed)),
		one.Lose(t.Context(), storetest.MustBegin(t, one, create, claims.Claimed), 504),
	); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, two, released, claims.Claimed)
	if claim := storetest.MustBegin(t, two, create, claims.Unknown); claim.Status != 504 {
		t.Errorf("got status %d, want 504", claim.Status)
	}
}

func TestRedisKeepsALeaseWhileItsOwnerLives(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	owner, other := openLeased(t, server.Addr, storetest.Roomy(), lease), openLeased(t, server.Addr, storetest.Roomy(), lease)
	create, compute := storetest.NewCall(true), storetest.NewCall(false)
	ours, theirs := storetest.MustBegin(t, owner, create, claims.Claimed), storetest.MustBegin(t, owner, compute, claims.Claimed)
	for until := time.Now().Add(4 * lease); time.Now().Before(until); {
		storetest.MustBegin(t, other, create, claims.Running)
		storetest.MustBegin(t, other, compute, claims.Running)
	}
	if err := errors.Join(owner.Finish(t.Context(), ours, storetest.Created()), owner.Finish(t.Context(), theirs, storetest.Created())); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, other, create, claims.Done)
	storetest.MustBegin(t, other, compute, claims.Done)
}

func TestRedisCreateOfADeadOwnerIsUnknownAndAComputeFree(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	owner, other := openLeased(t, server.Addr, storetest.Roomy(), lease), openLeased(t, server.Addr, storetest.Roomy(), lease)
	create, compute := storetest.NewCall(true), storetest.NewCall(false)
	claim := storetest.MustBegin(t, owner, create, claims.Claimed)
	storetest.MustBegin(t, owner, compute, claims.Claimed)
	die(t, owner)
	storetest.MustBegin(t, other, create, claims.Running)
	if got, err := other.Wait(t.Context(), create); err != nil || got.State != claims.Unknown || !got.Since.Equal(claim.Since) {
		t.Errorf("got %v since %v, %v, want unknown since %v", got.State, got.Since, err, claim.Since)
	}
	if got, err := other.Wait(t.Context(), compute); err != nil || got.State != claims.Claimed {
		t.Errorf("got %v, %v, want it claimed", got.State, err)
	}
}

// An owner that was away for longer than its lease must not undo what came after.
func TestRedisLateOwnerOverwritesNothing(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	link := redisserver.NewLink(t, server.Addr)
	owner, other := openLeased(t, link.Addr, storetest.Roomy(), lease), openLeased(t, server.Addr, storetest.Roomy(), lease)
	compute, create := storetest.NewCall(false), storetest.NewCall(true)
	late, known := storetest.MustBegin(t, owner, compute, claims.Claimed), storetest.MustBegin(t, owner, create, claims.Claimed)
	link.Cut()
	claim, err := other.Wait(t.Context(), compute)
	if err != nil || claim.State != claims.Claimed {
		t.Fatalf("got %v, %v, want the lease to be over", claim.State, err)
	}
	storetest.MustBegin(t, other, create, claims.Unknown)
	if err := other.Finish(t.Context(), claim, storetest.Created()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the owner sees that it is cut off", func() bool { return owner.health.down() != nil })
	if err := owner.Finish(t.Context(), late, &claims.Answer{Status: 299}); !errors.Is(err, claims.ErrUnavailable) {
		t.Errorf("Finish without a connection: %v, want ErrUnavailable", err)
	}
	if err := owner.Finish(t.Context(), known, &claims.Answer{Status: 298, Body: []byte("true all the same")}); !errors.Is(err, claims.ErrUnavailable) {
		t.Errorf("Finish without a connection: %v, want ErrUnavailable", err)
	}
	link.Mend()
	eventually(t, "the queue is empty", func() bool { owner.mu.Lock(); defer owner.mu.Unlock(); return len(owner.queued) == 0 })
	if got := storetest.MustBegin(t, other, compute, claims.Done); got.Answer.Status != storetest.Created().Status {
		t.Errorf("the late owner's %d replaced the answer", got.Answer.Status)
	}
	if got := storetest.MustBegin(t, other, create, claims.Done); got.Answer.Status != 298 {
		t.Errorf("got %d, want the answer that came late to the call that nobody else ran", got.Answer.Status)
	}
}

func TestRedisForgetsAfterTheTTL(t *testing.T) {
	server := redisserver.Start(t)
	c := storetest.Roomy()
	c.TTL = time.Second
	s := openShared(t, server.Addr, c)
	done, lost := storetest.NewCall(false), storetest.NewCall(true)
	start := time.Now()
	if err := errors.Join(
		s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()),
		s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 0),
	); err != nil {
		t.Fatal(err)
	}
	for _, call := range []claims.Call{done, lost} {
		eventually(t, "it is free again", func() bool {
			claim, err := s.Begin(t.Context(), call)
			return err == nil && claim.State == claims.Claimed
		})
	}
	if took := time.Since(start); took < c.TTL-100*time.Millisecond {
		t.Errorf("forgotten after %v, want a second", took)
	}
}

func TestRedisReplaysLargeAnswers(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, claims.Limits{TTL: time.Hour, Bytes: 64 << 20})
	for _, size := range []int{inline - 200, inline, inline + 1, 1 << 20, 8<<20 - 1} {
		call := storetest.NewCall(false)
		body := make([]byte, size)
		body[size-1] = 7
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, call, claims.Claimed), &claims.Answer{Status: 200, Body: body}); err != nil {
			t.Fatal(size, err)
		}
		if done := storetest.MustBegin(t, s, call, claims.Done); !bytes.Equal(done.Answer.Body, body) {
			t.Errorf("%d bytes came back as %d", size, len(done.Answer.Body))
		}
	}
}

func TestRedisThatIsFullReturnsErrFull(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, storetest.Roomy())
	done := storetest.NewCall(true)
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()); err != nil {
		t.Fatal(err)
	}
	held := storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed)
	if err := s.client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), storetest.NewCall(true)); !errors.Is(err, claims.ErrFull) || errors.Is(err, claims.ErrUnavailable) {
		t.Errorf("Begin: %v, want ErrFull", err)
	}
	if err := s.Finish(t.Context(), held, storetest.Created()); !errors.Is(err, claims.ErrFull) {
		t.Errorf("Finish: %v, want ErrFull", err)
	}
	storetest.MustBegin(t, s, done, claims.Done)
	if err := s.client.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
}

func TestRedisErrorsContainNoPassword(t *testing.T) {
	server := redisserver.Start(t)
	at := redisAt(server.Addr)
	at.URL = values.NewSecret("redis://someone:s3cret@" + server.Addr)
	s, err := Open(at, claims.Limits{}, slog.New(slog.DiscardHandler), storetest.Unbounded{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	eventually(t, "it is known to be refused", func() bool { return s.health.down() != nil })
	_, err = s.Begin(t.Context(), storetest.NewCall(true))
	if want := "redis://" + server.Addr; !errors.Is(err, claims.ErrUnavailable) || !contains(err, want, "WRONGPASS") || contains(err, "s3cret") {
		t.Errorf("got %v, want that %s refuses the password, without it", err, want)
	}
}

func BenchmarkRedis(b *testing.B) {
	s := openShared(b, redisserver.Start(b).Addr, claims.Limits{TTL: time.Hour, Bytes: 64 << 20})
	answer := &claims.Answer{Status: 200, Header: storetest.Created().Header, Body: make([]byte, 4<<10)}
	for b.Loop() {
		claim, err := s.Begin(b.Context(), storetest.NewCall(false))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(b.Context(), claim, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// contains reports whether the error's text has all of the parts.
func contains(err error, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			return false
		}
	}
	return true
}
