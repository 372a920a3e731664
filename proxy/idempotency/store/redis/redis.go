package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"

	goredis "github.com/redis/go-redis/v9"
)

// shared is the Store of all that use one Redis.
type Store struct {
	server Server
	limits claims.Limits
	client *goredis.Client
	log    *slog.Logger
	room   claims.Room
	lease  time.Duration
	grace  time.Duration // see redisGrace

	life   context.Context // ends with Close
	end    context.CancelFunc
	tended sync.WaitGroup

	health health

	mu         sync.Mutex
	secret     [32]byte
	generation string // that the secret is of; "" before the first one
	flights    map[claims.Token]*claimed
	owed       []debt
	owing      int64 // bytes of owed
	ended      []ended

	met string // the run of Redis whose settings were looked at; tend's own
}

// claimed is a claim that this process holds in Redis.
type claimed struct {
	call  claims.Call
	token claims.Token
	since time.Time // as Redis told it

	mu      sync.Mutex // held while the lease is renewed, or the claim ended
	renewed time.Time
	ended   bool
}

// inline is the longest record, in bytes, that comes with the answer to Begin. Longer
// ones are fetched with a longer timeout.
const inline = 64 << 10

// largestShared bounds one answer in Redis, in bytes, whatever the Config: Redis does
// nothing else while it takes one in.
const largest = 64 << 20

// Largest implements Store.
func (s *Store) Largest() int64 { return min(s.limits.Largest(), largest) }

// HashKey implements Store.
func (s *Store) HashKey(ctx context.Context) ([32]byte, error) {
	s.mu.Lock()
	secret := s.secret
	s.mu.Unlock()
	if secret != [32]byte{} {
		return secret, nil
	}
	if err := s.await(ctx); err != nil {
		return [32]byte{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secret, nil
}

// Begin implements Store. Where all have lost what they knew of creates, it waits until
// they know it again: see redisGrace.
func (s *Store) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for {
		claim, opens, err := s.begin(ctx, call)
		switch {
		case errors.Is(err, errAgain):
		case errors.Is(err, errSettling):
			s.pause(ctx, min(opens, timeout)) // it may go down meanwhile: then nobody waits for it
		default:
			return claim, err
		}
	}
}

// errSettling says that creates cannot be claimed yet.
var errSettling = errors.New("not before all have claimed again what they run")

// begin asks once. The duration is for how long a call waits that is errSettling.
func (s *Store) begin(ctx context.Context, call claims.Call) (claims.Claim, time.Duration, error) {
	if err := s.await(ctx); err != nil {
		return claims.Claim{}, 0, err
	}
	s.mu.Lock()
	secret, generation := s.secret, s.generation
	s.mu.Unlock()
	mine := &claimed{call: call, token: claims.NewToken(), renewed: time.Now()}
	reply, err := s.ask(ctx, beginScript, []string{keyOf(call.Key), secretName, generationName}, timeout,
		mine.token[:], call.Print[:], bit(call.Create), s.lease.Milliseconds(), s.expiry(call), inline, secret[:], generation)
	if err != nil {
		if errors.Is(err, claims.ErrUnavailable) { // it may have been claimed all the same
			s.owe(debt{claimed: mine, release: true})
		}
		return claims.Claim{}, 0, err
	}
	switch reply[0] {
	case "changed":
		err := s.changed()
		s.health.fail(err)
		return claims.Claim{}, 0, err
	case "settling":
		return claims.Claim{}, micros(reply[2]).Sub(micros(reply[1])), errSettling
	}
	claim, err := s.understand(ctx, call, reply)
	if err != nil || claim.State != claims.Claimed {
		return claim, 0, err
	}
	mine.since = claim.Since
	if !s.unchanged(mine, generation) {
		s.owe(debt{claimed: mine, release: true})
		return claims.Claim{}, 0, s.changed()
	}
	claim.Call, claim.Token = call, mine.token
	if err := ctx.Err(); err != nil { // nobody is there to run it
		return claims.Claim{}, 0, errors.Join(err, s.Release(context.WithoutCancel(ctx), claim))
	}
	return claim, 0, nil
}

// errAgain says that what Redis told was over before it was read.
var errAgain = errors.New("ask again")

// understand turns the reply of beginScript into a claim.
func (s *Store) understand(ctx context.Context, call claims.Call, reply []string) (claims.Claim, error) {
	since := func() time.Time { return micros(reply[2]) }
	switch reply[0] {
	case "claimed":
		return claims.Claim{State: claims.Claimed, Since: since()}, nil
	case "mismatch":
		return claims.Claim{State: claims.Mismatch}, nil
	case "running":
		return claims.Claim{State: claims.Running, Since: since()}, nil
	case "unknown":
		status, _ := strconv.Atoi(reply[3])
		return claims.Claim{State: claims.Unknown, Since: since(), Status: status}, nil
	}
	size, _ := strconv.ParseInt(reply[4], 10, 64)
	borrowed, err := claims.Borrow(s.room, size)
	if err != nil {
		return claims.Claim{}, err
	}
	encoded := []byte(reply[3])
	if len(encoded) == 0 {
		encoded, err = s.fetch(ctx, call)
	}
	if err != nil {
		borrowed.Free()
		return claims.Claim{}, err
	}
	r, err := record.Decode(call.Key, encoded)
	if err != nil {
		borrowed.Free()
		return claims.Claim{}, s.fault(err)
	}
	r.Since = since()
	return borrowed.For(r.Claim(call)), nil
}

// fetch returns a record that is long.
func (s *Store) fetch(ctx context.Context, call claims.Call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeoutFor(s.Largest()))
	defer cancel()
	encoded, err := s.client.HGet(ctx, keyOf(call.Key), "a").Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, errAgain
	}
	if err != nil {
		return nil, s.failed(err)
	}
	return encoded, nil
}

// Polls of Wait begin at the one and slow down to the other.
const (
	pollFirst = 20 * time.Millisecond
	pollLast  = 500 * time.Millisecond
)

// Wait implements Store. It polls: those that wait in one process share one Wait, and
// a stored answer is seldom waited for in two.
func (s *Store) Wait(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for pause := pollFirst; ; pause = min(pause*3/2, pollLast) {
		claim, err := s.Begin(ctx, call)
		if err != nil || claim.State != claims.Running {
			return claim, err
		}
		s.pause(ctx, pause/2+rand.N(pause))
	}
}

// pause waits for d, for the end of ctx, or for that of the store.
func (s *Store) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.life.Done():
	case <-ctx.Done():
	}
}

// expiry is how many milliseconds Redis keeps a running call: a compute as long as
// its lease, a create so that it is known to be unknown for the TTL.
func (s *Store) expiry(call claims.Call) int64 {
	if call.Create {
		return (s.lease + s.limits.TTL).Milliseconds()
	}
	return s.lease.Milliseconds()
}

// timeoutFor is the timeout of an exchange that carries size bytes.
func timeoutFor(size int64) time.Duration {
	return timeout + time.Duration(size)*time.Second/rate
}

func keyOf(key claims.Key) string { return keyPrefix + hex.EncodeToString(key[:]) }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func micros(text string) time.Time {
	us, _ := strconv.ParseInt(text, 10, 64)
	return time.UnixMicro(us)
}
