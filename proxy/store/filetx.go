package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The buckets of the file. Each call has one entry in callsBucket and one in one of
// the two others, which are in order of time: what expires or is evicted is first.
var (
	aboutBucket = []byte("outrigger") // formatKey and secretKey
	callsBucket = []byte("calls")     // Key: record
	ageBuckets  = [2][]byte{[]byte("computes"), []byte("creates")}
)

// ageOf returns the bucket and the key of a record's place in time.
func ageOf(r record) ([]byte, []byte) {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, 8+32), uint64(r.at.UnixNano()))
	key = append(key, r.call.Key[:]...)
	if r.call.Create {
		return ageBuckets[1], key
	}
	return ageBuckets[0], key
}

// edit is a change to the file: it returns by how much used grew.
type edit func(*bolt.Tx) (int64, error)

// putting writes a record, in place of what was under its key.
func putting(key Key, r record) edit {
	encoded := r.encode()
	return func(tx *bolt.Tx) (int64, error) {
		freed, err := remove(tx, key)
		if err != nil {
			return 0, err
		}
		bucket, age := ageOf(r)
		cost := binary.BigEndian.AppendUint64(nil, uint64(r.cost()))
		return r.cost() - freed, errors.Join(
			tx.Bucket(callsBucket).Put(key[:], encoded),
			tx.Bucket(bucket).Put(age, cost),
		)
	}
}

// deleting removes what is under a key.
func deleting(key Key) edit {
	return func(tx *bolt.Tx) (int64, error) {
		freed, err := remove(tx, key)
		return -freed, err
	}
}

// remove deletes what is under a key, and returns what it cost.
func remove(tx *bolt.Tx, key Key) (int64, error) {
	encoded := tx.Bucket(callsBucket).Get(key[:])
	if encoded == nil {
		return 0, nil
	}
	r, err := decode(key, encoded)
	if err != nil {
		return 0, err
	}
	bucket, age := ageOf(r)
	return r.cost(), errors.Join(tx.Bucket(callsBucket).Delete(key[:]), tx.Bucket(bucket).Delete(age))
}

// sweepMost bounds how much one transaction expires.
const sweepMost = 1000

// expire removes what has lived its TTL, but not what is in flight. It returns how
// much that freed, and whether there may be more.
func (f *file) expire(tx *bolt.Tx, now time.Time) (int64, bool, error) {
	freed, more := int64(0), false
	for _, bucket := range ageBuckets {
		n := 0
		cursor := tx.Bucket(bucket).Cursor()
		var keys []Key
		for age, _ := cursor.First(); age != nil && n < sweepMost && f.expired(timeOf(age), now); age, _ = cursor.Next() {
			n++
			if key := Key(age[8:]); !f.flies(key) {
				keys = append(keys, key)
			}
		}
		more = more || n == sweepMost && len(keys) > 0
		for _, key := range keys {
			one, err := remove(tx, key)
			if err != nil {
				return 0, false, err
			}
			freed += one
		}
	}
	return freed, more, nil
}

// evict removes the oldest, computes first, until used is within bounds again, but
// not what is in flight, nor keep. It returns how much that freed.
func (f *file) evict(tx *bolt.Tx, used int64) (int64, error) {
	freed := int64(0)
	for _, bucket := range ageBuckets {
		cursor := tx.Bucket(bucket).Cursor()
		var keys []Key
		over := used - freed - int64(f.config.Bytes)
		for age, cost := cursor.First(); age != nil && over > 0; age, cost = cursor.Next() {
			if key := Key(age[8:]); !f.flies(key) {
				keys = append(keys, key)
				over -= int64(binary.BigEndian.Uint64(cost))
			}
		}
		for _, key := range keys {
			one, err := remove(tx, key)
			if err != nil {
				return 0, err
			}
			freed += one
		}
	}
	return freed, nil
}

// flies reports whether the key is in flight.
func (f *file) flies(key Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flights[key] != nil
}

// expired reports whether the TTL that began at a time is over.
func (f *file) expired(at, now time.Time) bool { return !now.Before(at.Add(f.config.TTL)) }

func timeOf(age []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(age))) }

// lookUp returns what the file says of a call that is not in flight.
func (f *file) lookUp(call Call) (Claim, error) {
	claim := Claim{State: Claimed}
	err := f.guarded(func() error {
		return f.db.View(func(tx *bolt.Tx) error {
			encoded := tx.Bucket(callsBucket).Get(call.Key[:])
			if encoded == nil {
				return nil
			}
			r, err := decode(call.Key, encoded)
			if err != nil {
				return fmt.Errorf("%s: %w; move the file away to start anew", f.config.Spec, err)
			}
			if f.expired(r.at, time.Now()) {
				return nil
			}
			borrowed, err := borrow(f.room, int64(len(encoded)))
			if err != nil {
				return err
			}
			r.body = slices.Clone(r.body) // what is encoded is gone after the transaction
			claim = borrowed.keep(r.claim(call))
			return nil
		})
	})
	if errors.Is(err, ErrMemory) {
		return Claim{}, err
	}
	if err != nil {
		return Claim{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return claim, nil
}
