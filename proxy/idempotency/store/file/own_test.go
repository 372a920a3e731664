package file

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/storetest"

	bolt "go.etcd.io/bbolt"
)

// foreignFiles are files of other programs that a store's path may lead to.
var foreignFiles = map[string]func(path string) error{
	"text":  func(path string) error { return os.WriteFile(path, []byte("ssh-ed25519 AAAA"), 0o644) },
	"empty": func(path string) error { return os.WriteFile(path, nil, 0o644) },
	"another program's bbolt": func(path string) error {
		db, err := bolt.Open(path, 0o644, nil)
		if err != nil {
			return err
		}
		return errors.Join(db.Update(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("theirs"))
			return err
		}), db.Close())
	},
}

func TestFileOfAnotherProgramKeepsItsMode(t *testing.T) {
	for name, create := range foreignFiles {
		for how, link := range map[string]func(oldName, newName string) error{"symlink": os.Symlink, "hard link": os.Link} {
			t.Run(name+" through a "+how, func(t *testing.T) {
				theirs, path := filepath.Join(t.TempDir(), "theirs"), newPath(t)
				if err := errors.Join(create(theirs), os.Chmod(theirs, 0o644), link(theirs, path)); err != nil {
					t.Fatal(err)
				}
				before, err := os.ReadFile(theirs)
				if err != nil {
					t.Fatal(err)
				}
				if s, err := Open(path, storetest.Roomy(), storetest.Unbounded{}); err == nil {
					t.Fatal("opened", s.Close())
				}
				info, err := os.Stat(theirs)
				after, again := os.ReadFile(theirs)
				if err != nil || again != nil || info.Mode().Perm() != 0o644 || !bytes.Equal(after, before) {
					t.Errorf("it is %v, %v, %v, want it as it was, 0644", info.Mode(), err, again)
				}
			})
		}
	}
}

func TestFileBehindALinkIsMadePrivate(t *testing.T) {
	target, path := newPath(t), newPath(t)
	if err := errors.Join(openAt(t, target, storetest.Roomy()).Close(), os.Chmod(target, 0o640), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path, storetest.Roomy())
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
}

// The next process makes another file, in which nothing is claimed that is claimed here.
func TestFileThatIsRemovedOrReplacedClaimsNothing(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"removed":   os.Remove,
		"renamed":   func(path string) error { return os.Rename(path, path+".old") },
		"replaced":  func(path string) error { return errors.Join(os.Remove(path), makeFile(path)) },
		"emptied":   func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
		"directory": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, newPath(t), storetest.Roomy())
			held := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
			if err := take(s.path); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := s.Begin(t.Context(), storetest.NewCall(true)); !errors.Is(err, claims.ErrUnavailable) || !errors.Is(err, errGone) {
					t.Fatalf("got %v, want that it is gone", err)
				}
			}
			if err := s.Finish(t.Context(), held, storetest.Created()); !errors.Is(err, claims.ErrUnavailable) {
				t.Errorf("Finish: %v, want ErrUnavailable", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A change that leaves the path leading to the same file is harmless.
func TestFileWithAnotherModeOrAShortRenameStaysUsable(t *testing.T) {
	s := openAt(t, newPath(t), storetest.Roomy())
	path := s.path
	if err := errors.Join(os.Chmod(path, 0o644), os.Rename(path, path+".x"), os.Rename(path+".x", path)); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
}
