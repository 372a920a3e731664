package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/record"

	bolt "go.etcd.io/bbolt"
)

// load reads everything in a file whose pages were verified: whether it is a store, its hash
// key, and each record, which has a checksum and an entry in its age bucket.
func (f *Store) load(tx *bolt.Tx) error {
	about := tx.Bucket(aboutBucket)
	calls, computes, creates := tx.Bucket(callsBucket), tx.Bucket(ageBuckets[0]), tx.Bucket(ageBuckets[1])
	if about == nil || calls == nil || computes == nil || creates == nil {
		return boltcheck.DamageError("it is a bbolt file, but not one of Outrigger's")
	}
	if got := about.Get(formatKey); !bytes.Equal(got, format) {
		return boltcheck.DamageError("it has another format than this version's")
	}
	secret := about.Get(secretKey)
	if len(secret) != len(f.secret)+secretSum {
		return boltcheck.DamageError("its hash key is damaged")
	}
	copy(f.secret[:], secret)
	if sum := sha256.Sum256(f.secret[:]); !bytes.Equal(sum[:secretSum], secret[len(f.secret):]) {
		return boltcheck.DamageError("its hash key is damaged")
	}
	return f.loadCalls(calls, [2]*bolt.Bucket{computes, creates})
}

func (f *Store) loadCalls(calls *bolt.Bucket, ages [2]*bolt.Bucket) error {
	n := 0
	err := calls.ForEach(func(key, encoded []byte) error {
		n++
		if len(key) != len(claims.Key{}) {
			return boltcheck.DamageError("a key is damaged")
		}
		r, err := record.Decode(claims.Key(key), encoded)
		if err != nil {
			return boltcheck.DamageError(err.Error())
		}
		_, age := ageOf(r)
		list := ages[0]
		if r.Call.Create {
			list = ages[1]
		}
		cost := list.Get(age)
		if len(cost) != 8 || int64(binary.BigEndian.Uint64(cost)) != r.Cost() {
			return boltcheck.DamageError("a record is not in its place in time")
		}
		return nil
	})
	if err != nil {
		return err
	}
	entries := 0
	for _, list := range ages {
		if err := list.ForEach(func(_, _ []byte) error { entries++; return nil }); err != nil {
			return err
		}
	}
	if entries != n {
		return boltcheck.DamageError("records are missing")
	}
	return nil
}
