package boltcheck

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The verifier must know every file that bbolt makes: trees of several levels, pages
// that run over, buckets inline, and long lists of free pages.
func TestVerifierAcceptsWhatBboltWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.db")
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 12 {
		db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true, FreelistType: bolt.FreelistMapType})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := db.Update(func(tx *bolt.Tx) error { return scribble(tx, random, round) }); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(path); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// scribble writes and deletes at random, mostly the one in even rounds, mostly the
// other in odd ones.
func scribble(tx *bolt.Tx, random *rand.Rand, round int) error {
	for _, name := range []string{"a", "b", "few"} {
		bucket, err := tx.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		most := map[string]int{"a": 3000, "b": 400, "few": 2}[name]
		for range most {
			key := fmt.Appendf(nil, "%s%d", bytes.Repeat([]byte{'k'}, random.IntN(30)), random.IntN(2*most))
			if random.IntN(10) < 8 == (round%2 == 0) {
				size := random.IntN(60)
				if name == "b" && random.IntN(20) == 0 {
					size = random.IntN(40000)
				}
				err = bucket.Put(key, make([]byte, size))
			} else {
				err = bucket.Delete(key)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
