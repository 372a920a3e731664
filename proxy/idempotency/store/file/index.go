package file

import (
	"bytes"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"

	bolt "go.etcd.io/bbolt"
)

// maxIndexed bounds how many records one transaction indexes.
const maxIndexed = 10_000

// index reads each record's owner and class into the account. A file that was written by a
// version without owners lacks some of them. There index adds the record, with no owner, as
// an answer, or as a create of unknown outcome if it has none.
func (f *Store) index() error {
	whole := false
	err := f.db.View(func(tx *bolt.Tx) error {
		whole = f.loadIndex(tx)
		return nil
	})
	if err != nil || whole {
		return err
	}
	if err := f.db.Update(deleteStale); err != nil {
		return err
	}
	for from := []byte{}; from != nil; {
		err := f.db.Update(func(tx *bolt.Tx) error {
			var err error
			from, err = indexFrom(tx, from)
			return err
		})
		if err != nil {
			return err
		}
	}
	return f.db.View(func(tx *bolt.Tx) error {
		if !f.loadIndex(tx) {
			return boltcheck.DamageError("the owners of the records cannot be restored")
		}
		return nil
	})
}

// loadIndex adds all records to the account, and reports whether each has its owner.
func (f *Store) loadIndex(tx *bolt.Tx) bool {
	calls, owners, places := tx.Bucket(callsBucket), tx.Bucket(ownersBucket), tx.Bucket(sharesBucket)
	if owners == nil || places == nil {
		return false
	}
	f.writer.used, f.writer.answers, f.writer.evicted, f.markers = 0, usage{}, usage{}, quota.NewMarkers(f.limits.Bytes)
	n := 0
	for key, encoded := range all(calls) {
		r, err := record.Decode(claims.Key(key), encoded)
		owned := owners.Get(key)
		if err != nil || !owns(r, owned) || places.Get(shareKey(r, owned)) == nil {
			return false
		}
		n++
		c := class(owned[ownedLength-1])
		f.account(change{claims.Owner(owned), c, takes(r, c)})
	}
	return count(owners) == n && count(places) == n
}

// owns reports whether owned is a valid owner entry of the record.
func owns(r record.Record, owned []byte) bool {
	return len(owned) == ownedLength && fits(r, class(owned[ownedLength-1]))
}

// deleteStale deletes the entries that belong to no record.
func deleteStale(tx *bolt.Tx) error {
	owners, err := tx.CreateBucketIfNotExists(ownersBucket)
	if err != nil {
		return err
	}
	var gone [][]byte
	for key := range all(owners) {
		if tx.Bucket(callsBucket).Get(key) == nil {
			gone = append(gone, bytes.Clone(key))
		}
	}
	for _, key := range gone {
		if err := owners.Delete(key); err != nil {
			return err
		}
	}
	if tx.Bucket(sharesBucket) != nil {
		if err := tx.DeleteBucket(sharesBucket); err != nil {
			return err
		}
	}
	_, err = tx.CreateBucket(sharesBucket)
	return err
}

// indexFrom indexes records from a key on, and returns the key to continue from, or nil.
func indexFrom(tx *bolt.Tx, from []byte) ([]byte, error) {
	cursor, n := tx.Bucket(callsBucket).Cursor(), 0
	for key, encoded := cursor.Seek(from); key != nil; key, encoded = cursor.Next() {
		if n++; n > maxIndexed {
			return bytes.Clone(key), nil
		}
		r, err := record.Decode(claims.Key(key), encoded)
		if err != nil {
			return nil, err
		}
		owned := bytes.Clone(tx.Bucket(ownersBucket).Get(key))
		if !owns(r, owned) {
			owned = ownerEntry(r, classOf(r))
			if err := tx.Bucket(ownersBucket).Put(key, owned); err != nil {
				return nil, err
			}
		}
		if err := tx.Bucket(sharesBucket).Put(shareKey(r, owned), []byte{0}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// all iterates over a bucket.
func all(bucket *bolt.Bucket) func(func(key, value []byte) bool) {
	return func(yield func(key, value []byte) bool) {
		cursor := bucket.Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			if !yield(key, value) {
				return
			}
		}
	}
}

func count(bucket *bolt.Bucket) int {
	n := 0
	for range all(bucket) {
		n++
	}
	return n
}
