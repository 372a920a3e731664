package file

import (
	"bytes"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
)

// oldest returns the key of an owner's record that is evicted first, from a class on.
func (tx *fileTx) oldest(owner claims.Owner, from class) (claims.Key, error) {
	place, _ := tx.Bucket(sharesBucket).Cursor().Seek(append(owner[:], byte(from)))
	if len(place) != ownedLength+8+len(claims.Key{}) || !bytes.HasPrefix(place, owner[:]) {
		return claims.Key{}, boltcheck.DamageError("a record is missing from the order of eviction")
	}
	return claims.Key(place[ownedLength+8:]), nil
}

// evict evicts until everything fits, always from the owner that has most. A create whose
// answer is evicted becomes Unknown while there is room for that beside the markers.
func (tx *fileTx) evict() error {
	w := &tx.f.writer
	for w.used > tx.f.limits.Bytes && w.answers.Used() > 0 {
		if err := tx.evictAnswer(w.answers.Largest().Owner); err != nil {
			return err
		}
	}
	for w.evicted.Used() > 0 && w.evicted.Used() > tx.f.markersLeft() {
		key, err := tx.oldest(w.evicted.Largest().Owner, classEvicted)
		if err != nil {
			return err
		}
		if err := tx.remove(key); err != nil {
			return err
		}
	}
	return nil
}

// evictAnswer evicts the first of an owner's answers.
func (tx *fileTx) evictAnswer(owner claims.Owner) error {
	key, err := tx.oldest(owner, classCompute)
	if err != nil {
		return err
	}
	r, _, err := tx.find(key)
	if err != nil {
		return err
	}
	if !r.Call.Create {
		return tx.remove(key)
	}
	r.Call.Owner, r.State, r.Header, r.Body = owner, claims.Unknown, nil, nil
	return tx.put(r, r.Encode(), classEvicted)
}

func (f *Store) markersLeft() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.markers.Left()
}
