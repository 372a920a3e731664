package store

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"outrigger/internal/values"
	"outrigger/test/redisserver"

	"github.com/redis/go-redis/v9"
)

func TestRedisDoesWhatAStoreDoes(t *testing.T) {
	server := redisserver.Start(t)
	runSuite(t, func(t *testing.T, c Limits) Store { return openShared(t, server.Addr, c) })
}

func TestRedisReadsOnlyWhatThereIsMemoryFor(t *testing.T) {
	readsWithin(t, func(t *testing.T, room Room) Store {
		s := openShared(t, redisserver.Start(t).Addr, Limits{TTL: time.Hour, Bytes: 8 << 20})
		s.room = room
		return s
	})
}

// redisAt returns a Redis without a password.
func redisAt(addr string) Server {
	return Server{URL: values.NewSecret("redis://" + addr), Name: "redis://" + addr}
}

func openShared(t testing.TB, addr string, c Limits) *shared {
	t.Helper()
	return openLeased(t, addr, c, redisLease)
}

func openLeased(t testing.TB, addr string, c Limits, lease time.Duration) *shared {
	t.Helper()
	return openGraced(t, addr, c, lease, 0)
}

func openGraced(t testing.TB, addr string, c Limits, lease, grace time.Duration) *shared {
	t.Helper()
	server := redisAt(addr)
	options, err := redisOptions(server)
	if err != nil {
		t.Fatal(err)
	}
	s := newShared(server, c, redis.NewClient(options), slog.New(slog.DiscardHandler), unbounded{}, lease, grace)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// die ends a store as a kill does: it tells Redis nothing.
func die(t testing.TB, s *shared) {
	t.Helper()
	s.end()
	s.tended.Wait()
	if err := s.client.Close(); err != nil {
		t.Fatal(err)
	}
}

// eventually asks again until it is so.
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

// is reports whether Begin finds a state.
func is(t testing.TB, s Store, call Call, want State) func() bool {
	return func() bool {
		claim, err := s.Begin(t.Context(), call)
		if err == nil && claim.State == Claimed && want != Claimed {
			t.Fatalf("claimed, want %v", want)
		}
		return err == nil && claim.State == want
	}
}

func TestRedisIsSharedByAllThatUseIt(t *testing.T) {
	server := redisserver.Start(t)
	one, two := openShared(t, server.Addr, roomy()), openShared(t, server.Addr, roomy())
	first, err := one.HashKey(t.Context())
	second, again := two.HashKey(t.Context())
	if err != nil || again != nil || first != second {
		t.Fatalf("hash keys %x, %v and %x, %v, want the same", first, err, second, again)
	}
	done, released, create := newCall(true), newCall(false), newCall(true)
	claim := mustBegin(t, one, done, Claimed)
	if other := mustBegin(t, two, done, Running); !other.Since.Equal(claim.Since) {
		t.Errorf("since %v, want %v", other.Since, claim.Since)
	}
	all, claims := waiters(t, two, done, 3)
	if err := one.Finish(t.Context(), claim, created()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	claims.Range(func(_, c any) bool {
		if claim := c.(Claim); claim.State != Done || !bytes.Equal(claim.Answer.Body, created().Body) {
			t.Errorf("waited and got %v", claim.State)
		}
		return true
	})
	if err := errors.Join(
		one.Release(t.Context(), mustBegin(t, one, released, Claimed)),
		one.Lose(t.Context(), mustBegin(t, one, create, Claimed), 504),
	); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, two, released, Claimed)
	if claim := mustBegin(t, two, create, Unknown); claim.Status != 504 {
		t.Errorf("got status %d, want 504", claim.Status)
	}
}

func TestRedisKeepsALeaseWhileItsOwnerLives(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	owner, other := openLeased(t, server.Addr, roomy(), lease), openLeased(t, server.Addr, roomy(), lease)
	create, compute := newCall(true), newCall(false)
	ours, theirs := mustBegin(t, owner, create, Claimed), mustBegin(t, owner, compute, Claimed)
	for until := time.Now().Add(4 * lease); time.Now().Before(until); {
		mustBegin(t, other, create, Running)
		mustBegin(t, other, compute, Running)
	}
	if err := errors.Join(owner.Finish(t.Context(), ours, created()), owner.Finish(t.Context(), theirs, created())); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, other, create, Done)
	mustBegin(t, other, compute, Done)
}

func TestRedisCreateOfADeadOwnerIsUnknownAndAComputeFree(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	owner, other := openLeased(t, server.Addr, roomy(), lease), openLeased(t, server.Addr, roomy(), lease)
	create, compute := newCall(true), newCall(false)
	claim := mustBegin(t, owner, create, Claimed)
	mustBegin(t, owner, compute, Claimed)
	die(t, owner)
	mustBegin(t, other, create, Running)
	if got, err := other.Wait(t.Context(), create); err != nil || got.State != Unknown || !got.Since.Equal(claim.Since) {
		t.Errorf("got %v since %v, %v, want unknown since %v", got.State, got.Since, err, claim.Since)
	}
	if got, err := other.Wait(t.Context(), compute); err != nil || got.State != Claimed {
		t.Errorf("got %v, %v, want it claimed", got.State, err)
	}
}

// An owner that was away for longer than its lease must not undo what came after.
func TestRedisLateOwnerOverwritesNothing(t *testing.T) {
	server := redisserver.Start(t)
	const lease = 300 * time.Millisecond
	link := redisserver.NewLink(t, server.Addr)
	owner, other := openLeased(t, link.Addr, roomy(), lease), openLeased(t, server.Addr, roomy(), lease)
	compute, create := newCall(false), newCall(true)
	late, known := mustBegin(t, owner, compute, Claimed), mustBegin(t, owner, create, Claimed)
	link.Cut()
	claim, err := other.Wait(t.Context(), compute)
	if err != nil || claim.State != Claimed {
		t.Fatalf("got %v, %v, want the lease to be over", claim.State, err)
	}
	mustBegin(t, other, create, Unknown)
	if err := other.Finish(t.Context(), claim, created()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the owner sees that it is cut off", func() bool { return owner.health.well() != nil })
	if err := owner.Finish(t.Context(), late, &Answer{Status: 299}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Finish without a connection: %v, want ErrUnavailable", err)
	}
	if err := owner.Finish(t.Context(), known, &Answer{Status: 298, Body: []byte("true all the same")}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Finish without a connection: %v, want ErrUnavailable", err)
	}
	link.Mend()
	eventually(t, "what is owed is paid", func() bool { owner.mu.Lock(); defer owner.mu.Unlock(); return len(owner.owed) == 0 })
	if got := mustBegin(t, other, compute, Done); got.Answer.Status != created().Status {
		t.Errorf("the late owner's %d replaced the answer", got.Answer.Status)
	}
	if got := mustBegin(t, other, create, Done); got.Answer.Status != 298 {
		t.Errorf("got %d, want the answer that came late to the call that nobody else ran", got.Answer.Status)
	}
}

func TestRedisForgetsAfterTheTTL(t *testing.T) {
	server := redisserver.Start(t)
	c := roomy()
	c.TTL = time.Second
	s := openShared(t, server.Addr, c)
	done, lost := newCall(false), newCall(true)
	start := time.Now()
	if err := errors.Join(
		s.Finish(t.Context(), mustBegin(t, s, done, Claimed), created()),
		s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 0),
	); err != nil {
		t.Fatal(err)
	}
	for _, call := range []Call{done, lost} {
		eventually(t, "it is free again", func() bool {
			claim, err := s.Begin(t.Context(), call)
			return err == nil && claim.State == Claimed
		})
	}
	if took := time.Since(start); took < c.TTL-100*time.Millisecond {
		t.Errorf("forgotten after %v, want a second", took)
	}
}

func TestRedisReplaysLargeAnswers(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, Limits{TTL: time.Hour, Bytes: 64 << 20})
	for _, size := range []int{inline - 200, inline, inline + 1, 1 << 20, 8<<20 - 1} {
		call := newCall(false)
		body := make([]byte, size)
		body[size-1] = 7
		if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), &Answer{Status: 200, Body: body}); err != nil {
			t.Fatal(size, err)
		}
		if done := mustBegin(t, s, call, Done); !bytes.Equal(done.Answer.Body, body) {
			t.Errorf("%d bytes came back as %d", size, len(done.Answer.Body))
		}
	}
}

func TestRedisThatIsFullSaysSo(t *testing.T) {
	server := redisserver.Start(t)
	s := openShared(t, server.Addr, roomy())
	done := newCall(true)
	if err := s.Finish(t.Context(), mustBegin(t, s, done, Claimed), created()); err != nil {
		t.Fatal(err)
	}
	held := mustBegin(t, s, newCall(false), Claimed)
	if err := s.client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), newCall(true)); !errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) {
		t.Errorf("Begin: %v, want ErrFull", err)
	}
	if err := s.Finish(t.Context(), held, created()); !errors.Is(err, ErrFull) {
		t.Errorf("Finish: %v, want ErrFull", err)
	}
	mustBegin(t, s, done, Done)
	if err := s.client.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, newCall(true), Claimed)
}

func TestRedisErrorsTellNoPassword(t *testing.T) {
	server := redisserver.Start(t)
	at := redisAt(server.Addr)
	at.URL = values.NewSecret("redis://someone:s3cret@" + server.Addr)
	s, err := openRedis(at, Limits{}, slog.New(slog.DiscardHandler), unbounded{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	eventually(t, "it is known to be refused", func() bool { return s.health.well() != nil })
	_, err = s.Begin(t.Context(), newCall(true))
	if want := "redis://" + server.Addr; !errors.Is(err, ErrUnavailable) || !contains(err, want, "WRONGPASS") || contains(err, "s3cret") {
		t.Errorf("got %v, want that %s refuses the password, without it", err, want)
	}
}

func BenchmarkRedis(b *testing.B) {
	s := openShared(b, redisserver.Start(b).Addr, Limits{TTL: time.Hour, Bytes: 64 << 20})
	answer := &Answer{Status: 200, Header: created().Header, Body: make([]byte, 4<<10)}
	for b.Loop() {
		claim, err := s.Begin(b.Context(), newCall(false))
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
