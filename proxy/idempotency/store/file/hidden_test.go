package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"outrigger/proxy/idempotency/store/file/boltcheck"

	bolt "go.etcd.io/bbolt"
)

// Damage that bbolt would not notice, or only later.
func TestFileWithHiddenDamageIsRefused(t *testing.T) {
	for name, panicError := range map[string]func(*testing.T, string){
		"an entry in time without its record": func(t *testing.T, path string) {
			edited(t, path, func(tx *bolt.Tx) error {
				return tx.Bucket(ageBuckets[0]).Put(make([]byte, 40), make([]byte, 8))
			})
		},
		"a record without its entry in time": func(t *testing.T, path string) {
			edited(t, path, func(tx *bolt.Tx) error {
				cursor := tx.Bucket(ageBuckets[1]).Cursor()
				cursor.First()
				return cursor.Delete()
			})
		},
		"a record that another has the entry of": func(t *testing.T, path string) {
			edited(t, path, func(tx *bolt.Tx) error {
				cursor := tx.Bucket(ageBuckets[1]).Cursor()
				age, _ := cursor.First()
				return tx.Bucket(ageBuckets[1]).Put(age, binary.BigEndian.AppendUint64(nil, 1))
			})
		},
		"a page that is neither used nor free": func(t *testing.T, path string) {
			patched(t, path, func(b []byte, l boltcheck.Layout) {
				count := b[int64(l.Freelist)*l.PageSize+10:]
				binary.NativeEndian.PutUint16(count, binary.NativeEndian.Uint16(count)-1)
			})
		},
		"a page that is free twice": func(t *testing.T, path string) {
			patched(t, path, func(b []byte, l boltcheck.Layout) {
				list := b[int64(l.Freelist)*l.PageSize:]
				count := binary.NativeEndian.Uint16(list[10:])
				binary.NativeEndian.PutUint16(list[10:], count+1)
				copy(list[pageHeader+8*int(count):], list[pageHeader:pageHeader+8])
			})
		},
		"keys out of order": func(t *testing.T, path string) {
			edited(t, path, func(tx *bolt.Tx) error {
				bucket, err := tx.CreateBucket([]byte("more"))
				return errors.Join(err, bucket.Put([]byte("key--1"), nil), bucket.Put([]byte("key--2"), nil))
			})
			patched(t, path, func(b []byte, _ boltcheck.Layout) {
				copy(b, bytes.ReplaceAll(b, []byte("key--1key--2"), []byte("key--2key--1")))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole, want := specimen(t)
			path := newPath(t)
			if checkRefusedOrWhole(t, path, whole, want) {
				t.Fatal("refused before it was damaged")
			}
			panicError(t, path)
			damaged, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !checkRefusedOrWhole(t, path, damaged, nil) {
				t.Error("opened")
			}
		})
	}
}

// edited changes a file through bbolt.
func edited(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// patched changes the bytes of a file.
func patched(t *testing.T, path string, change func([]byte, boltcheck.Layout)) {
	t.Helper()
	l, err := boltcheck.ReadLayout(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change(b, l)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
