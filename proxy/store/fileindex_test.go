package store

import (
	"errors"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// accountOf is what a file's store has in its account.
func accountOf(s *file) [4]int64 {
	return [4]int64{s.writer.used, s.writer.answers.Used(), s.writer.spent.Used(), s.lost.All()}
}

// filled returns a store with something of all that there is, of two owners.
func filled(t *testing.T) (*file, map[Call]State) {
	t.Helper()
	s := openAt(t, newPath(t), Limits{TTL: time.Hour, Bytes: 64 << 10})
	want := make(map[Call]State)
	for i := range 40 {
		create, compute := callOf(i%2, true), callOf(i%2, false)
		finish(t, s, create, 2<<10)
		finish(t, s, compute, 100)
		if i >= 38 {
			want[create] = Done
		}
	}
	running := callOf(1, true)
	mustBegin(t, s, running, Claimed)
	want[running] = Unknown
	for _, call := range lose(t, s, 0, 5) {
		want[call] = Unknown
	}
	return s, want
}

func check(t *testing.T, s *file, want map[Call]State) {
	t.Helper()
	for call, state := range want {
		mustBegin(t, s, call, state)
	}
}

func TestFileKeepsItsAccountAcrossItsEnd(t *testing.T) {
	s, want := filled(t)
	before := accountOf(s)
	s = reopened(t, s)
	if after := accountOf(s); after != before || after[2] == 0 {
		t.Errorf("the account is %v, want %v", after, before)
	}
	check(t, s, want)
	for range 100 {
		finish(t, s, callOf(2, true), 1<<10)
	}
	if s.writer.used > s.limits.Bytes {
		t.Errorf("%d bytes kept, want at most %d", s.writer.used, s.limits.Bytes)
	}
}

// A transaction that fails leaves no trace in the account.
func TestFileTakesBackWhatATransactionThatFailsHadCounted(t *testing.T) {
	s, _ := filled(t)
	before := accountOf(s)
	err := s.write(func(tx *fileTx) error {
		r := record{state: Done, call: callOf(7, true), at: time.Now(), body: make([]byte, 6<<10)}
		return errors.Join(tx.put(r, r.encode(), classCreate), tx.evict(), errNothing)
	})
	if after := accountOf(s); err == nil || after != before {
		t.Errorf("%v, the account is %v, want an error and %v", err, after, before)
	}
}

// Files of versions that knew of no owners are opened with all that is in them; so are
// those that such a version used in between.
func TestFileWithoutOwnersIsOpened(t *testing.T) {
	for name, older := range map[string]func(*bolt.Tx, Call) error{
		"made by such a version": func(tx *bolt.Tx, _ Call) error {
			return errors.Join(tx.DeleteBucket(ownersBucket), tx.DeleteBucket(sharesBucket))
		},
		"a record more": func(tx *bolt.Tx, _ Call) error {
			r := record{state: Unknown, call: callOf(0, true), at: time.Now()}
			bucket, age := ageOf(r)
			return errors.Join(tx.Bucket(callsBucket).Put(r.call.Key[:], r.encode()), tx.Bucket(bucket).Put(age, []byte{0, 0, 0, 0, 0, 0, 4, 0}))
		},
		"a record less": func(tx *bolt.Tx, gone Call) error {
			encoded := tx.Bucket(callsBucket).Get(gone.Key[:])
			r, err := decode(gone.Key, encoded)
			bucket, age := ageOf(r)
			return errors.Join(err, tx.Bucket(callsBucket).Delete(gone.Key[:]), tx.Bucket(bucket).Delete(age))
		},
		"a record that ended": func(tx *bolt.Tx, done Call) error {
			encoded := tx.Bucket(callsBucket).Get(done.Key[:])
			r, err := decode(done.Key, encoded)
			bucket, age := ageOf(r)
			r.state, r.at = Unknown, r.at.Add(1)
			other, later := ageOf(r)
			cost := append([]byte(nil), tx.Bucket(bucket).Get(age)...)
			return errors.Join(err, tx.Bucket(callsBucket).Put(done.Key[:], r.encode()), tx.Bucket(bucket).Delete(age), tx.Bucket(other).Put(later, cost))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, want := filled(t)
			changed := callOf(0, true)
			finish(t, s, changed, 0)
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
				if got := accountOf(s); got[0] != before[0]-Overhead {
					t.Errorf("%d bytes in the account, want %d", got[0], before[0]-Overhead)
				}
			}
			for range 100 {
				finish(t, s, callOf(2, true), 1<<10)
			}
			if s.writer.used > s.limits.Bytes {
				t.Errorf("%d bytes kept, want at most %d", s.writer.used, s.limits.Bytes)
			}
			account := accountOf(s)
			if s = reopened(t, s); accountOf(s) != account {
				t.Errorf("the account is %v after opening again, want %v", accountOf(s), account)
			}
			for call, state := range want {
				if state == Unknown {
					mustBegin(t, s, call, Unknown)
				}
			}
		})
	}
}
