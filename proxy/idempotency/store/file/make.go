package file

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// The keys and the format in aboutBucket.
var (
	formatKey = []byte("format")
	secretKey = []byte("secret") // the hash key, and the first bytes of its hash
	format    = []byte("idempotent answers 1")
)

// secretSum is how many bytes of the hash key's own hash follow it, as a checksum.
const secretSum = 8

// makeFile makes an empty store. It makes it under a temporary name first, so that a file
// under path is always complete, whenever a process dies.
func makeFile(path string) error {
	made, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(made.Name()) }()
	if err := errors.Join(made.Close(), initialize(made.Name())); err != nil {
		return err
	}
	if err := os.Link(made.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(made.Name(), path) // a file system without links
	}
	return syncDirectory(filepath.Dir(path))
}

// initialize makes a store of an empty file.
func initialize(path string) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{callsBucket, ageBuckets[0], ageBuckets[1], ownersBucket, sharesBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		about, err := tx.CreateBucket(aboutBucket)
		if err != nil {
			return err
		}
		return errors.Join(about.Put(formatKey, format), about.Put(secretKey, newSecret()))
	})
	return errors.Join(err, db.Close())
}

// newSecret returns a hash key followed by its checksum.
func newSecret() []byte {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails: see its doc
	sum := sha256.Sum256(secret[:])
	return append(secret[:], sum[:secretSum]...)
}

// syncDirectory syncs a new name in a directory to the disk.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
