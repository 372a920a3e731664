package file

import (
	"bytes"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"

	bolt "go.etcd.io/bbolt"
)

// indexMost bounds how much one transaction enters.
const indexMost = 10_000

// index reads whose all records are, into the account. Where that is not known of each
// (the file is of a version that knows of no owners, or was used by one since), it is
// entered: of nobody in particular, and as what must be kept if it is no answer.
func (f *Store) index() error {
	whole := false
	err := f.db.View(func(tx *bolt.Tx) error {
		whole = f.indexed(tx)
		return nil
	})
	if err != nil || whole {
		return err
	}
	if err := f.db.Update(clearIndex); err != nil {
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
		if !f.indexed(tx) {
			return boltcheck.DamageError("whose the records are cannot be found out")
		}
		return nil
	})
}

// indexed reports whether each record has its owner, and takes them into the account if so.
func (f *Store) indexed(tx *bolt.Tx) bool {
	calls, owners, places := tx.Bucket(callsBucket), tx.Bucket(ownersBucket), tx.Bucket(sharesBucket)
	if owners == nil || places == nil {
		return false
	}
	f.writer.used, f.writer.answers, f.writer.spent, f.lost = 0, usage{}, usage{}, quota.NewMarkers(f.limits.Bytes)
	n := 0
	for key, encoded := range all(calls) {
		r, err := record.Decode(claims.Key(key), encoded)
		owned := owners.Get(key)
		if err != nil || !owns(r, owned) || places.Get(placeOf(r, owned)) == nil {
			return false
		}
		n++
		c := class(owned[ownedLength-1])
		f.account(entered{claims.Owner(owned), c, takes(r, c)})
	}
	return count(owners) == n && count(places) == n
}

// owns reports whether owned can be what is entered of the record.
func owns(r record.Record, owned []byte) bool {
	return len(owned) == ownedLength && fits(r, class(owned[ownedLength-1]))
}

// clearIndex takes out what belongs to no record.
func clearIndex(tx *bolt.Tx) error {
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

// indexFrom enters records from a key on, and returns from which to go on, or nil.
func indexFrom(tx *bolt.Tx, from []byte) ([]byte, error) {
	cursor, n := tx.Bucket(callsBucket).Cursor(), 0
	for key, encoded := cursor.Seek(from); key != nil; key, encoded = cursor.Next() {
		if n++; n > indexMost {
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
		if err := tx.Bucket(sharesBucket).Put(placeOf(r, owned), []byte{0}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// all goes through a bucket.
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
