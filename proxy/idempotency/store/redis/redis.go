package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"

	goredis "github.com/redis/go-redis/v9"
)

// Store is the claims.Store of all processes that use one Redis.
type Store struct {
	server Server
	limits claims.Limits
	client *goredis.Client
	log    *slog.Logger
	room   claims.Room
	lease  time.Duration
	grace  time.Duration // see graceTime

	closing    context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup

	health health

	mu          sync.Mutex
	secret      [32]byte
	generation  string // of the secret; "" before the first one
	held        map[claims.Token]*claimed
	queued      []update
	queuedBytes int64 // bytes of the records in queued
	recent      []recentCreate

	checkedRun string // the run of Redis whose settings were checked; maintain's own
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

// inline is the longest record, in bytes, that comes with the reply to Begin. A longer one
// is fetched separately, with a longer timeout.
const inline = 64 << 10

// largest bounds one answer, in bytes, whatever the Limits: Redis does nothing else while it
// receives one.
const largest = 64 << 20

// Largest implements claims.Store.
func (s *Store) Largest() int64 { return min(s.limits.Largest(), largest) }

// HashKey implements claims.Store.
func (s *Store) HashKey(ctx context.Context) ([32]byte, error) {
	s.mu.Lock()
	secret := s.secret
	s.mu.Unlock()
	if secret != [32]byte{} {
		return secret, nil
	}
	if err := s.waitReady(ctx); err != nil {
		return [32]byte{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secret, nil
}

// Begin implements claims.Store. After Redis lost its data, a create waits until the other
// processes have resent what they hold: see graceTime.
func (s *Store) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for {
		claim, opens, err := s.begin(ctx, call)
		switch {
		case errors.Is(err, errAgain):
		case errors.Is(err, errGrace):
			s.sleep(ctx, min(opens, timeout)) // Redis may go down meanwhile: then nobody waits for it
		default:
			return claim, err
		}
	}
}

// errGrace says that creates cannot be claimed yet.
var errGrace = errors.New("not before all have claimed again what they run")

// begin asks once. The duration is how long a call waits that gets errGrace.
func (s *Store) begin(ctx context.Context, call claims.Call) (claims.Claim, time.Duration, error) {
	if err := s.waitReady(ctx); err != nil {
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
			s.queueUpdate(update{claimed: mine, release: true})
		}
		return claims.Claim{}, 0, err
	}
	switch reply[0] {
	case "changed":
		err := s.generationChanged()
		s.health.markDown(err)
		return claims.Claim{}, 0, err
	case "settling":
		return claims.Claim{}, micros(reply[2]).Sub(micros(reply[1])), errGrace
	}
	claim, err := s.parseReply(ctx, call, reply)
	if err != nil || claim.State != claims.Claimed {
		return claim, 0, err
	}
	mine.since = claim.Since
	if !s.hold(mine, generation) {
		s.queueUpdate(update{claimed: mine, release: true})
		return claims.Claim{}, 0, s.generationChanged()
	}
	claim.Call, claim.Token = call, mine.token
	if err := ctx.Err(); err != nil { // nobody is there to run it
		return claims.Claim{}, 0, errors.Join(err, s.Release(context.WithoutCancel(ctx), claim))
	}
	return claim, 0, nil
}

// errAgain says that a record was gone before it was fetched.
var errAgain = errors.New("ask again")

// parseReply turns the reply of beginScript into a claim.
func (s *Store) parseReply(ctx context.Context, call claims.Call, reply []string) (claims.Claim, error) {
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
		return claims.Claim{}, s.classify(err)
	}
	r.Since = since()
	return borrowed.For(r.Claim(call)), nil
}

// fetch returns a long record.
func (s *Store) fetch(ctx context.Context, call claims.Call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeoutFor(s.Largest()))
	defer cancel()
	encoded, err := s.client.HGet(ctx, keyOf(call.Key), "a").Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, errAgain
	}
	if err != nil {
		return nil, s.noteError(err)
	}
	return encoded, nil
}

// expiry is how many milliseconds Redis keeps a running call: a compute for its lease, a
// create for the TTL too, so that it is known to be Unknown.
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
