package store

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestFileDoesWhatAStoreDoes(t *testing.T) {
	runSuite(t, func(t *testing.T, c Limits) Store { return openAt(t, newPath(t), c) })
}

func TestFileReadsOnlyWhatThereIsMemoryFor(t *testing.T) {
	readsWithin(t, func(t *testing.T, room Room) Store {
		s := openAt(t, newPath(t), Limits{TTL: time.Hour, Bytes: 8 << 20})
		s.room = room
		return s
	})
}

func TestFileBoundsWhatItKeeps(t *testing.T) {
	runBounded(t, func(t *testing.T, l Limits) Store { return openAt(t, newPath(t), l) },
		func(s Store) int64 { return s.(*file).writer.spent.Used() + s.(*file).lost.All()*Marker })
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "answers.db") }

func openAt(t testing.TB, path string, c Limits) *file {
	t.Helper()
	s, err := openFile(path, c, unbounded{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopened closes a store, which is like a death to it, and opens its file again.
func reopened(t testing.TB, s *file) *file {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, s.path, s.limits)
}

func TestFileRemembersAcrossItsEnd(t *testing.T) {
	s := openAt(t, newPath(t), roomy())
	before := s.secret
	done, lost, released, running, compute := newCall(true), newCall(true), newCall(true), newCall(true), newCall(false)
	first := mustBegin(t, s, done, Claimed)
	if err := errors.Join(
		s.Finish(t.Context(), first, created()),
		s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 502),
		s.Release(t.Context(), mustBegin(t, s, released, Claimed)),
	); err != nil {
		t.Fatal(err)
	}
	died := mustBegin(t, s, running, Claimed)
	mustBegin(t, s, compute, Claimed)

	s = reopened(t, s)
	replayed := mustBegin(t, s, done, Done)
	if !replayed.Since.Equal(first.Since) || time.Since(replayed.Answer.Stored) > time.Minute {
		t.Errorf("begun %v, stored %v, want %v and just now", replayed.Since, replayed.Answer.Stored, first.Since)
	}
	replayed.Answer.Stored = time.Time{}
	if !reflect.DeepEqual(replayed.Answer, created()) {
		t.Errorf("got %+v, want %+v", replayed.Answer, created())
	}
	if claim := mustBegin(t, s, lost, Unknown); claim.Status != 502 {
		t.Errorf("got status %d, want 502", claim.Status)
	}
	if claim := mustBegin(t, s, running, Unknown); claim.Status != 0 || !claim.Since.Equal(died.Since) {
		t.Errorf("got status %d, since %v, want 0 and %v", claim.Status, claim.Since, died.Since)
	}
	mustBegin(t, s, released, Claimed)
	mustBegin(t, s, compute, Claimed)
	if s.secret != before {
		t.Error("the hash key changed")
	}
	other := running
	other.Print = newCall(true).Print
	mustBegin(t, s, other, Mismatch)
}

func TestFileIsItsOwnersAlone(t *testing.T) {
	s := openAt(t, newPath(t), roomy())
	path := s.path
	for range 2 {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v, want 0600", info.Mode(), err)
		}
		if err := errors.Join(s.Close(), os.Chmod(path, 0o664)); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path, s.limits)
	}
	if names, err := filepath.Glob(filepath.Dir(path) + "/*"); err != nil || len(names) != 1 {
		t.Errorf("the directory has %v, %v, want the store alone", names, err)
	}
}

func TestFileInUseIsRefusedByName(t *testing.T) {
	s := openAt(t, newPath(t), roomy())
	if other, err := openFile(s.path, s.limits, unbounded{}); err == nil {
		t.Fatal("opened twice", other.Close())
	} else if !errors.Is(err, errInUse) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("got %v, want that %s is in use", err, s.path)
	}
	mustBegin(t, s, newCall(true), Claimed)
}

func TestFileThatCannotBeMadeIsRefusedByName(t *testing.T) {
	directory := t.TempDir()
	for _, path := range []string{directory + "/none/answers.db", directory} {
		if s, err := openFile(path, roomy(), unbounded{}); err == nil {
			t.Error("opened", s.Close())
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
	}
}

func TestFileForgetsAfterTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t), roomy())
		done, lost, running := newCall(false), newCall(true), newCall(true)
		mustBegin(t, s, running, Claimed)
		if err := errors.Join(
			s.Finish(t.Context(), mustBegin(t, s, done, Claimed), created()),
			s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 0),
		); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		mustBegin(t, s, done, Done)
		mustBegin(t, s, lost, Unknown)
		time.Sleep(time.Nanosecond)
		again := mustBegin(t, s, lost, Claimed)
		if err := s.Release(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * sweepEvery)
		mustBegin(t, s, running, Running)
		if got, want := s.writer.used, int64(Marker); got != want {
			t.Errorf("%d bytes are left after the sweep, want the running one's %d", got, want)
		}
		time.Sleep(time.Hour)
		s = reopened(t, s)
		mustBegin(t, s, running, Claimed)
	})
}

func TestFileStaysWithinItsBytes(t *testing.T) {
	c := Limits{TTL: time.Hour, Bytes: 12 * Overhead}
	s := openAt(t, newPath(t), c)
	create, lost := newCall(true), newCall(true)
	running := mustBegin(t, s, newCall(true), Claimed)
	if err := errors.Join(
		s.Finish(t.Context(), mustBegin(t, s, create, Claimed), &Answer{Status: 200}),
		s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 0),
	); err != nil {
		t.Fatal(err)
	}
	var computes []Call
	for range 20 {
		call := newCall(false)
		computes = append(computes, call)
		if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), &Answer{Status: 200, Body: make([]byte, Overhead)}); err != nil {
			t.Fatal(err)
		}
		if s.writer.used > int64(c.Bytes) {
			t.Fatalf("%d bytes kept, want at most %d", s.writer.used, c.Bytes)
		}
	}
	used := s.writer.used
	s = reopened(t, s)
	if s.writer.used != used {
		t.Errorf("%d bytes after opening, want %d", s.writer.used, used)
	}
	mustBegin(t, s, computes[0], Claimed)
	mustBegin(t, s, computes[19], Done)
	mustBegin(t, s, create, Done)
	mustBegin(t, s, lost, Unknown)
	mustBegin(t, s, running.call, Unknown)
}

func TestFileEvictsNothingInFlight(t *testing.T) {
	s := openAt(t, newPath(t), Limits{TTL: time.Hour, Bytes: 8 * Overhead})
	running := mustBegin(t, s, newCall(true), Claimed)
	var last Call
	for range 20 {
		last = newCall(true)
		if err := s.Finish(t.Context(), mustBegin(t, s, last, Claimed), &Answer{Status: 200}); err != nil {
			t.Fatal(err)
		}
	}
	s = reopened(t, s)
	mustBegin(t, s, running.call, Unknown)
	mustBegin(t, s, last, Done)
}

// What has no room must not fail what has, only because both came at once.
func TestFileFailsOfABatchOnlyWhatHasNoRoom(t *testing.T) {
	s := openAt(t, newPath(t), roomy())
	call := newCall(true)
	large := request{func(*fileTx) error { return syscall.ENOSPC }, make(chan error, 1)}
	small := request{putting(record{state: Done, call: call, at: time.Now(), status: 200}, classCreate), make(chan error, 1)}
	s.commit([]request{small, large})
	if err := <-large.fate; !errors.Is(err, ErrFull) {
		t.Errorf("the large one: %v, want ErrFull", err)
	}
	if err := <-small.fate; err != nil {
		t.Errorf("the small one: %v", err)
	}
	mustBegin(t, s, call, Done)
}

func TestFileReusesTheSpaceOfWhatItForgot(t *testing.T) {
	s := openAt(t, newPath(t), Limits{TTL: time.Hour, Bytes: 1 << 20})
	answer := &Answer{Status: 200, Body: make([]byte, 20<<10)}
	for range 300 {
		if err := s.Finish(t.Context(), mustBegin(t, s, newCall(false), Claimed), answer); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if size, most := info.Size(), int64(4<<20); size > most {
		t.Errorf("6 MB through a bound of 1 MiB made a file of %d bytes, want at most %d", size, most)
	}
}

func BenchmarkFile(b *testing.B) {
	answer := &Answer{Status: 200, Header: created().Header, Body: make([]byte, 4<<10)}
	for name, call := range map[string]func() Call{
		"compute": func() Call { return newCall(false) },
		"create":  func() Call { return newCall(true) },
	} {
		b.Run(name, func(b *testing.B) {
			s := openAt(b, newPath(b), Limits{TTL: time.Hour, Bytes: 64 << 20})
			for b.Loop() {
				claim, err := s.Begin(b.Context(), call())
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Finish(b.Context(), claim, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("replay", func(b *testing.B) {
		s := openAt(b, newPath(b), Limits{TTL: time.Hour, Bytes: 64 << 20})
		done := newCall(false)
		claim, err := s.Begin(b.Context(), done)
		if err := errors.Join(err, s.Finish(b.Context(), claim, answer)); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if claim, err := s.Begin(b.Context(), done); err != nil || claim.State != Done {
				b.Fatal(claim.State, err)
			}
		}
	})
}
