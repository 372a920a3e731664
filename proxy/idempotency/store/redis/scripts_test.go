package redis

import (
	"context"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/redisserver"
	"outrigger/test/storetest"

	goredis "github.com/redis/go-redis/v9"
)

// replied runs a script directly, and returns the first part of its reply.
func replied(t *testing.T, s *Store, script *goredis.Script, key string, args ...any) string {
	t.Helper()
	reply, err := script.Run(t.Context(), s.client, []string{key, secretName, generationName}, args...).Slice()
	if err != nil {
		t.Fatal(err)
	}
	return reply[0].(string)
}

// A script that reaches Redis after its sender gave up must do nothing.
func TestRedisScriptsDoNothingAfterTheirDeadline(t *testing.T) {
	s := openShared(t, redisserver.Start(t).Addr, storetest.Roomy())
	const past = 1
	for name, run := range map[string]func(key string) string{
		"begin": func(key string) string { return replied(t, s, beginScript, key, past, "t", "p", 1, 1000, 1000, 10) },
		"put": func(key string) string {
			return replied(t, s, putScript, key, past, "t", "p", 1, 1000, 1000, "r", 1, 0, "")
		},
		"release": func(key string) string { return replied(t, s, releaseScript, key, past, "") },
		"agree":   func(key string) string { return replied(t, s, generationScript, key, past, "x", "", "a", 0, 0) },
	} {
		if got := run(name); got != "late" {
			t.Errorf("%s: got %q, want late", name, got)
		}
		if n := s.client.Exists(t.Context(), name).Val(); n != 0 {
			t.Errorf("%s wrote something", name)
		}
	}
}

func TestRedisScriptsCanBeSentTwice(t *testing.T) {
	s := openShared(t, redisserver.Start(t).Addr, storetest.Roomy())
	secret, err := s.HashKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var since [2]string
	for i := range since {
		if got := replied(t, s, beginScript, "k", 0, "mine", "p", 1, 1000, 60_000, 10, secret[:], s.generation); got != "claimed" {
			t.Errorf("begin: got %q, want claimed", got)
		}
		since[i] = s.client.HGet(t.Context(), "k", "b").Val()
	}
	if since[0] != since[1] {
		t.Errorf("begun at %s, and when asked again at %s", since[0], since[1])
	}
	for range 2 {
		if got := replied(t, s, putScript, "k", 0, "mine", "p", 1, 1000, 60_000, "d", 1, 0, "record"); got != "ok" {
			t.Errorf("put: got %q, want ok", got)
		}
	}
	if got := replied(t, s, putScript, "k", 0, "mine", "p", 1, 1000, 60_000, "r", 1, 0, ""); got != "ok" {
		t.Errorf("a renewal after the end: got %q", got)
	}
	if got := s.client.HGet(t.Context(), "k", "s").Val(); got != "d" {
		t.Errorf("a renewal after the end made its state %q", got)
	}
	if got := replied(t, s, releaseScript, "k", 0, "another's"); got != "lost" || s.client.Exists(t.Context(), "k").Val() != 1 {
		t.Errorf("another's release: got %q, and the key is gone, or not lost", got)
	}
	for range 2 {
		if got := replied(t, s, releaseScript, "k", 0, "mine"); got != "ok" {
			t.Errorf("release: got %q, want ok", got)
		}
	}
}

// A renewal that was about to be sent when its claim ended must not restore the claim.
func TestRedisRenewalDoesNotRestoreAnEndedClaim(t *testing.T) {
	s := openShared(t, redisserver.Start(t).Addr, storetest.Roomy())
	claim := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	s.mu.Lock()
	mine := s.held[claim.Token]
	s.mu.Unlock()
	if err := s.Release(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if err := s.renewOne(t.Context(), mine, true); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, s, claim.Call, claims.Claimed)
}

// A caller that leaves while its claim is on the way leaves no claim.
func TestRedisBeginOfACallerThatLeavesClaimsNothing(t *testing.T) {
	server := redisserver.Start(t)
	link := redisserver.NewLink(t, server.Addr)
	s := openShared(t, link.Addr, storetest.Roomy())
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	call := storetest.NewCall(true)
	ctx, cancel := context.WithCancel(t.Context())
	link.Cut()
	time.AfterFunc(timeout/5, cancel)
	time.AfterFunc(timeout/2, link.Mend)
	if claim, err := s.Begin(ctx, call); err == nil {
		t.Errorf("got %v, want an error", claim.State)
	}
	eventually(t, "it is free", is(t, s, call, claims.Claimed))
}
