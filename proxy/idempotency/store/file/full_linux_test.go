package file

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/process"
	"outrigger/test/storetest"
)

func TestFileOnAFullDiskLosesNothing(t *testing.T) {
	directory := t.TempDir()
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=256k"); err != nil {
		process.Missing(t, "needs root, which may mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(directory, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(directory, "ballast")
	losesNothing(t, filepath.Join(directory, "answers.db"),
		func() {
			initialize, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{4096, 1} {
				for err = nil; err == nil; {
					_, err = initialize.Write(make([]byte, size))
				}
			}
			if err := errors.Join(initialize.Sync(), initialize.Close()); err != nil {
				t.Fatal(err)
			}
		},
		func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		})
}

var limited = flag.Bool("store.limited", false, "run the test that limits its process here")

// A limit on the size of files is another way to have no room. It holds for the whole process,
// so the test runs in a process of its own.
func TestFileAtTheLimitOfItsSizeLosesNothing(t *testing.T) {
	if !*limited {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-store.limited")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(n uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(before.Cur)
	path := newPath(t)
	losesNothing(t, path,
		func() {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			limit(uint64(info.Size()))
		},
		func() { limit(before.Cur) })
}

// losesNothing uses a store while there is room, while there is none, and afterwards.
func losesNothing(t *testing.T, path string, initialize, free func()) {
	t.Helper()
	s := openAt(t, path, claims.Limits{TTL: time.Hour, Bytes: 8 << 20})
	defer func() { _ = s.Close() }()
	body := &claims.Answer{Status: 200, Body: make([]byte, 150<<10)}
	done, create, compute := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(false)
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()); err != nil {
		t.Fatal(err)
	}
	held, computes := storetest.MustBegin(t, s, create, claims.Claimed), storetest.MustBegin(t, s, compute, claims.Claimed)

	initialize()
	for name, err := range map[string]error{
		"Finish of a create":  s.Finish(t.Context(), held, body),
		"Finish of a compute": s.Finish(t.Context(), computes, body),
	} {
		if !errors.Is(err, claims.ErrFull) || errors.Is(err, claims.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrFull", name, err)
		}
	}
	var refused claims.Call
	for range 2000 { // until the last free page is used
		refused = storetest.NewCall(true)
		if _, err := s.Begin(t.Context(), refused); errors.Is(err, claims.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		refused = claims.Call{}
	}
	if refused == (claims.Call{}) {
		t.Error("no create's claim was refused")
	}
	storetest.MustBegin(t, s, done, claims.Done)
	storetest.MustBegin(t, s, create, claims.Unknown)
	if err := s.Release(t.Context(), storetest.MustBegin(t, s, compute, claims.Claimed)); err != nil {
		t.Error(err)
	}

	free()
	storetest.MustBegin(t, s, refused, claims.Claimed)
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, compute, claims.Claimed), body); err != nil {
		t.Error(err)
	}
	s = reopened(t, s)
	storetest.MustBegin(t, s, done, claims.Done)
	storetest.MustBegin(t, s, create, claims.Unknown)
	storetest.MustBegin(t, s, compute, claims.Done)
	storetest.MustBegin(t, s, refused, claims.Unknown)
}
