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
// ageBuckets, which are in order of time: what expires is first. See owned for the rest.
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

// edit is a change to the file.
type edit func(*fileTx) error

// fileTx is a transaction that keeps the account of what is in the file.
type fileTx struct {
	*bolt.Tx
	f       *file
	journal []entered
}

// putting writes a record of an owner's, in place of what was under its key.
func putting(r record, class class) edit {
	encoded := r.encode()
	return func(tx *fileTx) error { return tx.put(r, encoded, class) }
}

func (tx *fileTx) put(r record, encoded []byte, class class) error {
	if err := tx.remove(r.call.Key); err != nil {
		return err
	}
	bucket, age := ageOf(r)
	cost := binary.BigEndian.AppendUint64(nil, uint64(r.cost()))
	return errors.Join(
		tx.Bucket(callsBucket).Put(r.call.Key[:], encoded),
		tx.Bucket(bucket).Put(age, cost),
		tx.enter(r, class),
	)
}

// deleting removes what is under a key.
func deleting(key Key) edit {
	return func(tx *fileTx) error { return tx.remove(key) }
}

// remove deletes what is under a key.
func (tx *fileTx) remove(key Key) error {
	r, found, err := tx.find(key)
	if err != nil || !found {
		return err
	}
	bucket, age := ageOf(r)
	return errors.Join(tx.leave(r), tx.Bucket(callsBucket).Delete(key[:]), tx.Bucket(bucket).Delete(age))
}

// find returns what is under a key.
func (tx *fileTx) find(key Key) (record, bool, error) {
	encoded := tx.Bucket(callsBucket).Get(key[:])
	if encoded == nil {
		return record{}, false, nil
	}
	r, err := decode(key, encoded)
	return r, true, err
}

// sweepMost bounds how much one transaction expires.
const sweepMost = 1000

// expire removes what has lived its TTL, but not what is in flight. It reports whether
// it removed something, and whether there may be more.
func (tx *fileTx) expire(now time.Time) (bool, bool, error) {
	some, more := false, false
	for _, bucket := range ageBuckets {
		n := 0
		cursor := tx.Bucket(bucket).Cursor()
		var keys []Key
		for age, _ := cursor.First(); age != nil && n < sweepMost && tx.f.expired(timeOf(age), now); age, _ = cursor.Next() {
			n++
			if key := Key(age[8:]); !tx.f.flies(key) {
				keys = append(keys, key)
			}
		}
		some = some || len(keys) > 0
		more = more || n == sweepMost && len(keys) > 0
		for _, key := range keys {
			if err := tx.remove(key); err != nil {
				return false, false, err
			}
		}
	}
	return some, more, nil
}

// flies reports whether the key is in flight.
func (f *file) flies(key Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flights[key] != nil
}

// expired reports whether the TTL that began at a time is over.
func (f *file) expired(at, now time.Time) bool { return !now.Before(at.Add(f.limits.TTL)) }

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
				return fmt.Errorf("%s: %w; move the file away to start anew", f.name(), err)
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
