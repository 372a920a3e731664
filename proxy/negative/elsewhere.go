package negative

import (
	"crypto/sha256"
	"time"

	"outrigger/policy"
	"outrigger/proxy/response"
)

// Elsewhere is what other processes of a fleet remember. Payers and ids are hashes that are the
// same in all of them. Safe for concurrent use.
type Elsewhere interface {
	// Any reports whether anything is known of a payer, and Find returns one refusal with the
	// time that it is of, nil for none; gone says that it is there no more, once.
	Any(payer [32]byte) bool
	Find(payer, id [32]byte) (answer *response.Buffered, at time.Time, gone bool)
	// Remember and Forget tell the others.
	Remember(payer, id [32]byte, answer *response.Buffered)
	Forget(payer, id [32]byte)
	// Probe reports whether this process is to try whether a refusal holds, for so long.
	Probe(payer, id [32]byte, last time.Duration) bool
}

// Identity says to other processes who pays and who calls.
type Identity struct{ Payer, Caller [32]byte }

// id names a refusal of key.
func (who Identity) id(key Key) [32]byte {
	return sha256.Sum256(append(append(make([]byte, 0, 128), who.Caller[:]...), key.Model...))
}

// Knows reports whether others may remember a refusal of who.
func (t *Cache) Knows(who Identity) bool { return t.Elsewhere != nil && t.Elsewhere.Any(who.Payer) }

// Adopt takes over what others remember of key: that it is refused, or is no more. It reports
// whether a refusal came so.
func (t *Cache) Adopt(now time.Time, key Key, who Identity) bool {
	answer, at, gone := t.Elsewhere.Find(who.Payer, who.id(key))
	switch {
	case gone:
		t.forget(key, "a probe of another sidecar was not refused")
	case answer != nil && !t.Trips.Holds(now, key) && now.Sub(at) < t.lasts():
		answer.Caller = key.Caller
		t.Set(at, key, answer)
		return true
	}
	return false
}

// Keep remembers an answer as the refusal of key, and tells others.
func (t *Cache) Keep(now time.Time, key Key, who Identity, answer *response.Buffered) {
	t.Set(now, key, answer)
	if t.Elsewhere != nil {
		t.Elsewhere.Remember(who.Payer, who.id(key), answer)
	}
}

// Clear forgets the refusal of key, since a probe was not refused, and tells others.
func (t *Cache) Clear(key Key, who Identity) {
	t.forget(key, "a probe was not refused")
	if t.Elsewhere != nil {
		t.Elsewhere.Forget(who.Payer, who.id(key))
	}
}

// CheckAmong is Check where others may try too: the probe is one of all processes.
func (t *Cache) CheckAmong(now time.Time, key Key, who Identity) (*response.Buffered, policy.TripState) {
	answer, state := t.Check(now, key)
	if state != policy.Probe || t.Elsewhere == nil || t.Elsewhere.Probe(who.Payer, who.id(key), t.lasts()) {
		return answer, state
	}
	t.Trips.Set(now, key, answer) // another tries, and tells
	return answer, policy.Tripped
}
