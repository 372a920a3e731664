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

// A generation is the time through which a Redis remembers. It ends when Redis loses
// what it knew: it was flushed, it restarted empty or with an old snapshot, it evicted
// the hash key, or somebody wrote over that. Each exchange that claims a call names the
// generation that its process knows, so a loss is noticed before anything is claimed on
// an empty store.
//
// Those who live then begin the next one. Its hash key is theirs again, so that the
// names of what they hold stay; and until it opens, creates wait: in this time all who
// hold claims notice the loss too (they look every watchEvery) and tell Redis again of
// what runs, and of the creates that they lately did.
const (
	watchEvery = time.Second
	// redisGrace is how long creates wait: one look of each sidecar, two exchanges that
	// take as long as they may, and as much for a container that is throttled.
	graceTime = watchEvery + 5*timeout
)

// errChanged ends an exchange that met another generation than its process knows.
var errChanged = errors.New("it has lost what it knew; what runs is being claimed again")

// agree settles the generation and its hash key. It reports whether this process has
// to tell again what it holds. Telling says that it still does.
func (s *Store) agree(ctx context.Context, telling bool) (bool, error) {
	s.mu.Lock()
	known, secret := s.generation, s.secret
	s.mu.Unlock()
	if known == "" {
		_, _ = rand.Read(secret[:]) // never fails: see its doc
	}
	var next [8]byte
	_, _ = rand.Read(next[:]) // never fails: see its doc
	reply, err := s.run(ctx, agreeScript, []string{secretName, generationName}, timeout,
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

// unchanged adds a claim to those that are told again, unless Redis may have lost it
// already.
func (s *Store) unchanged(mine *claimed, generation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation != generation {
		return false
	}
	s.flights[mine.token] = mine
	return true
}

// changed is the error of an exchange that met another generation.
func (s *Store) changed() error {
	return fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, s.server.Name, errChanged)
}
