package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"outrigger/proxy/idempotency/claims"
)

// A generation is the time through which a Redis keeps its data. It ends when Redis loses
// data: somebody flushed it, it restarted empty or with an old snapshot, it evicted the hash
// key, or somebody wrote over the key. Each exchange that claims a call names the generation
// that its process knows, so a loss is noticed before anything is claimed on an empty Redis.
//
// The processes that are alive then begin the next generation. It has their hash key, so
// the names of what they hold stay valid. Creates wait until it opens: until then all
// processes that hold claims notice the loss too (they look every watchEvery), and resend
// their claims and the creates that they ran lately.
const (
	watchEvery = time.Second
	// graceTime is how long creates wait: until each sidecar has looked, for two exchanges
	// of the longest duration, and as much again for a container that is throttled.
	graceTime = watchEvery + 5*timeout
)

// errChanged ends an exchange that found another generation than its process knows.
var errChanged = errors.New("it has lost what it knew; what runs is being claimed again")

// syncGeneration settles the generation and its hash key. It reports whether this process
// must resend what it holds. Telling says that it is still doing so.
func (s *Store) syncGeneration(ctx context.Context, telling bool) (bool, error) {
	s.mu.Lock()
	known, secret := s.generation, s.secret
	s.mu.Unlock()
	if known == "" {
		_, _ = rand.Read(secret[:]) // never fails: see its doc
	}
	var next [8]byte
	_, _ = rand.Read(next[:]) // never fails: see its doc
	reply, err := s.run(ctx, generationScript, []string{secretName, generationName}, timeout,
		secret[:], known, hex.EncodeToString(next[:]), s.grace.Microseconds(), bit(telling))
	if err != nil {
		return false, err
	}
	if len(reply) < 4 || len(reply[2]) != len(secret) {
		return false, errors.New("its key " + secretName + " is not a hash key")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	copy(s.secret[:], reply[2])
	s.generation = reply[3]
	changed := known != "" && known != s.generation
	if changed {
		s.log.Warn("the Redis of idempotent answers lost what it knew: creates with a key wait until all have claimed again what they run",
			slog.String("store", s.server.Name), slog.Bool("hash_key_changed", secret != s.secret))
	}
	return changed, nil
}

// hold adds a claim to those that are renewed and resent, unless Redis may have lost it
// already.
func (s *Store) hold(mine *claimed, generation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation != generation {
		return false
	}
	s.held[mine.token] = mine
	return true
}

// generationChanged is the error of an exchange that found another generation.
func (s *Store) generationChanged() error {
	return fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, s.server.Name, errChanged)
}
