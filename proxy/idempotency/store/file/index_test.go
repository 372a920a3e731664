package file

import (
	"errors"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
	"outrigger/test/storetest"

	bolt "go.etcd.io/bbolt"
)

// accountOf returns the account of a file's store.
func accountOf(s *Store) [4]int64 {
	return [4]int64{s.writer.used, s.writer.answers.Used(), s.writer.evicted.Used(), s.markers.All()}
}

// filled returns a store with calls in every state, of two owners.
func filled(t *testing.T) (*Store, map[claims.Call]claims.State) {
	t.Helper()
	s := openAt(t, newPath(t), claims.Limits{TTL: time.Hour, Bytes: 64 << 10})
	want := make(map[claims.Call]claims.State)
	for i := range 40 {
		create, compute := storetest.CallOf(i%2, true), storetest.CallOf(i%2, false)
		storetest.Finish(t, s, create, 2<<10)
		storetest.Finish(t, s, compute, 100)
		if i >= 38 {
			want[create] = claims.Done
		}
	}
	running := storetest.CallOf(1, true)
	storetest.MustBegin(t, s, running, claims.Claimed)
	want[running] = claims.Unknown
	for _, call := range storetest.Lose(t, s, 0, 5) {
		want[call] = claims.Unknown
	}
	return s, want
}

func check(t *testing.T, s *Store, want map[claims.Call]claims.State) {
	t.Helper()
	for call, state := range want {
		storetest.MustBegin(t, s, call, state)
	}
}

func TestFileRestoresItsAccountAfterReopening(t *testing.T) {
	s, want := filled(t)
	before := accountOf(s)
	s = reopened(t, s)
	if after := accountOf(s); after != before || after[2] == 0 {
		t.Errorf("the account is %v, want %v", after, before)
	}
	check(t, s, want)
	for range 100 {
		storetest.Finish(t, s, storetest.CallOf(2, true), 1<<10)
	}
	if s.writer.used > s.limits.Bytes {
		t.Errorf("%d bytes kept, want at most %d", s.writer.used, s.limits.Bytes)
	}
}

// A transaction that fails leaves no trace in the account.
func TestFileUndoesTheAccountOfAFailedTransaction(t *testing.T) {
	s, _ := filled(t)
	before := accountOf(s)
	err := s.write(func(tx *fileTx) error {
		r := record.Record{State: claims.Done, Call: storetest.CallOf(7, true), At: time.Now(), Body: make([]byte, 6<<10)}
		return errors.Join(tx.put(r, r.Encode(), classCreate), tx.evict(), errNothing)
	})
	if after := accountOf(s); err == nil || after != before {
		t.Errorf("%v, the account is %v, want an error and %v", err, after, before)
	}
}

// A file of a version without owners is opened with everything in it, and so is a file that
// such a version used in between.
func TestFileWithoutOwnersIsOpened(t *testing.T) {
	for name, older := range map[string]func(*bolt.Tx, claims.Call) error{
		"made by such a version": func(tx *bolt.Tx, _ claims.Call) error {
			return errors.Join(tx.DeleteBucket(ownersBucket), tx.DeleteBucket(sharesBucket))
		},
		"a record more": func(tx *bolt.Tx, _ claims.Call) error {
			r := record.Record{State: claims.Unknown, Call: storetest.CallOf(0, true), At: time.Now()}
			bucket, age := ageOf(r)
			return errors.Join(tx.Bucket(callsBucket).Put(r.Call.Key[:], r.Encode()), tx.Bucket(bucket).Put(age, []byte{0, 0, 0, 0, 0, 0, 4, 0}))
		},
		"a record less": func(tx *bolt.Tx, gone claims.Call) error {
			encoded := tx.Bucket(callsBucket).Get(gone.Key[:])
			r, err := record.Decode(gone.Key, encoded)
			bucket, age := ageOf(r)
			return errors.Join(err, tx.Bucket(callsBucket).Delete(gone.Key[:]), tx.Bucket(bucket).Delete(age))
		},
		"a record that ended": func(tx *bolt.Tx, done claims.Call) error {
			encoded := tx.Bucket(callsBucket).Get(done.Key[:])
			r, err := record.Decode(done.Key, encoded)
			bucket, age := ageOf(r)
			r.State, r.At = claims.Unknown, r.At.Add(1)
			other, later := ageOf(r)
			cost := append([]byte(nil), tx.Bucket(bucket).Get(age)...)
			return errors.Join(err, tx.Bucket(callsBucket).Put(done.Key[:], r.Encode()), tx.Bucket(bucket).Delete(age), tx.Bucket(other).Put(later, cost))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, want := filled(t)
			changed := storetest.CallOf(0, true)
			storetest.Finish(t, s, changed, 0)
			before := accountOf(s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(s.path, 0o600, nil)
			if err := errors.Join(err, db.Update(func(tx *bolt.Tx) error { return older(tx, changed) }), db.Close()); err != nil {
				t.Fatal(err)
			}
			s = openAt(t, s.path, s.limits)
			check(t, s, want)
			if name == "a record less" {
				if got := accountOf(s); got[0] != before[0]-quota.Overhead {
					t.Errorf("%d bytes in the account, want %d", got[0], before[0]-quota.Overhead)
				}
			}
			for range 100 {
				storetest.Finish(t, s, storetest.CallOf(2, true), 1<<10)
			}
			if s.writer.used > s.limits.Bytes {
				t.Errorf("%d bytes kept, want at most %d", s.writer.used, s.limits.Bytes)
			}
			account := accountOf(s)
			if s = reopened(t, s); accountOf(s) != account {
				t.Errorf("the account is %v after opening again, want %v", accountOf(s), account)
			}
			for call, state := range want {
				if state == claims.Unknown {
					storetest.MustBegin(t, s, call, claims.Unknown)
				}
			}
		})
	}
}
