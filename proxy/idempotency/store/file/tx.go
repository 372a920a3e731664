package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"

	bolt "go.etcd.io/bbolt"
)

// The buckets of the file. Each call has one entry in callsBucket, and one in one of
// ageBuckets, which are in order of time: what expires is first. See ownersBucket for the
// rest.
var (
	aboutBucket = []byte("outrigger") // formatKey and secretKey
	callsBucket = []byte("calls")     // Key: record
	ageBuckets  = [2][]byte{[]byte("computes"), []byte("creates")}
)

// ageOf returns the age bucket of a record and its key there.
func ageOf(r record.Record) ([]byte, []byte) {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, 8+32), uint64(r.At.UnixNano()))
	key = append(key, r.Call.Key[:]...)
	if r.Call.Create {
		return ageBuckets[1], key
	}
	return ageBuckets[0], key
}

// edit is a change to the file.
type edit func(*fileTx) error

// fileTx is a transaction that keeps the account of what is in the file.
type fileTx struct {
	*bolt.Tx
	f       *Store
	journal []change
}

// putEdit writes a record in place of what was under its key.
func putEdit(r record.Record, class class) edit {
	encoded := r.Encode()
	return func(tx *fileTx) error { return tx.put(r, encoded, class) }
}

func (tx *fileTx) put(r record.Record, encoded []byte, class class) error {
	if err := tx.remove(r.Call.Key); err != nil {
		return err
	}
	bucket, age := ageOf(r)
	cost := binary.BigEndian.AppendUint64(nil, uint64(r.Cost()))
	return errors.Join(
		tx.Bucket(callsBucket).Put(r.Call.Key[:], encoded),
		tx.Bucket(bucket).Put(age, cost),
		tx.addOwner(r, class),
	)
}

// deleteEdit deletes what is under a key.
func deleteEdit(key claims.Key) edit {
	return func(tx *fileTx) error { return tx.remove(key) }
}

// remove deletes what is under a key.
func (tx *fileTx) remove(key claims.Key) error {
	r, found, err := tx.find(key)
	if err != nil || !found {
		return err
	}
	bucket, age := ageOf(r)
	return errors.Join(tx.removeOwner(r), tx.Bucket(callsBucket).Delete(key[:]), tx.Bucket(bucket).Delete(age))
}

// find returns what is under a key.
func (tx *fileTx) find(key claims.Key) (record.Record, bool, error) {
	encoded := tx.Bucket(callsBucket).Get(key[:])
	if encoded == nil {
		return record.Record{}, false, nil
	}
	r, err := record.Decode(key, encoded)
	return r, true, err
}

// maxSweep bounds how many records of a bucket one transaction expires.
const maxSweep = 1000

// expire deletes records that are older than the TTL and not in flight. It reports whether it
// deleted any, and whether there may be more.
func (tx *fileTx) expire(now time.Time) (bool, bool, error) {
	some, more := false, false
	for _, bucket := range ageBuckets {
		n := 0
		cursor := tx.Bucket(bucket).Cursor()
		var keys []claims.Key
		for age, _ := cursor.First(); age != nil && n < maxSweep && tx.f.expired(timeOf(age), now); age, _ = cursor.Next() {
			n++
			if key := claims.Key(age[8:]); !tx.f.inFlight(key) {
				keys = append(keys, key)
			}
		}
		some = some || len(keys) > 0
		more = more || n == maxSweep && len(keys) > 0
		for _, key := range keys {
			if err := tx.remove(key); err != nil {
				return false, false, err
			}
		}
	}
	return some, more, nil
}

// inFlight reports whether the key has a flight.
func (f *Store) inFlight(key claims.Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flights[key] != nil
}

// expired reports whether the TTL that began at a time is over.
func (f *Store) expired(at, now time.Time) bool { return !now.Before(at.Add(f.limits.TTL)) }

func timeOf(age []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(age))) }

// lookUp returns what the file knows of a call that is not in flight.
func (f *Store) lookUp(call claims.Call) (claims.Claim, error) {
	claim := claims.Claim{State: claims.Claimed}
	err := f.guarded(func() error {
		return f.db.View(func(tx *bolt.Tx) error {
			encoded := tx.Bucket(callsBucket).Get(call.Key[:])
			if encoded == nil {
				return nil
			}
			r, err := record.Decode(call.Key, encoded)
			if err != nil {
				return fmt.Errorf("%s: %w; move the file away to start anew", f.name(), err)
			}
			if f.expired(r.At, time.Now()) {
				return nil
			}
			borrowed, err := claims.Borrow(f.room, int64(len(encoded)))
			if err != nil {
				return err
			}
			r.Body = slices.Clone(r.Body) // the encoded bytes are valid in the transaction only
			claim = borrowed.For(r.Claim(call))
			return nil
		})
	})
	if errors.Is(err, claims.ErrMemory) {
		return claims.Claim{}, err
	}
	if err != nil {
		return claims.Claim{}, fmt.Errorf("%w: %w", claims.ErrUnavailable, err)
	}
	return claim, nil
}
