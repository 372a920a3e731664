package file

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

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
	"outrigger/test/storetest"
)

func TestFileDoesWhatAStoreDoes(t *testing.T) {
	storetest.Run(t, func(t *testing.T, c claims.Limits) claims.Store { return openAt(t, newPath(t), c) })
}

func TestFileReadsAnswersOnlyWhileThereIsMemory(t *testing.T) {
	storetest.ReadsWithin(t, func(t *testing.T, room claims.Room) claims.Store {
		s := openAt(t, newPath(t), claims.Limits{TTL: time.Hour, Bytes: 8 << 20})
		s.room = room
		return s
	})
}

func TestFileBoundsWhatItKeeps(t *testing.T) {
	storetest.RunBounded(t, func(t *testing.T, l claims.Limits) claims.Store { return openAt(t, newPath(t), l) },
		func(s claims.Store) int64 {
			return s.(*Store).writer.evicted.Used() + s.(*Store).markers.All()*quota.Marker
		})
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "answers.db") }

func openAt(t testing.TB, path string, c claims.Limits) *Store {
	t.Helper()
	s, err := Open(path, c, storetest.Unbounded{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopened closes a store, and opens its file again. Claims in flight end as by a crash.
func reopened(t testing.TB, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, s.path, s.limits)
}

func TestFileRemembersAfterReopening(t *testing.T) {
	s := openAt(t, newPath(t), storetest.Roomy())
	before := s.secret
	done, lost, released, running, compute := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(false)
	first := storetest.MustBegin(t, s, done, claims.Claimed)
	if err := errors.Join(
		s.Finish(t.Context(), first, storetest.Created()),
		s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 502),
		s.Release(t.Context(), storetest.MustBegin(t, s, released, claims.Claimed)),
	); err != nil {
		t.Fatal(err)
	}
	died := storetest.MustBegin(t, s, running, claims.Claimed)
	storetest.MustBegin(t, s, compute, claims.Claimed)

	s = reopened(t, s)
	replayed := storetest.MustBegin(t, s, done, claims.Done)
	if !replayed.Since.Equal(first.Since) || time.Since(replayed.Answer.Stored) > time.Minute {
		t.Errorf("begun %v, stored %v, want %v and just now", replayed.Since, replayed.Answer.Stored, first.Since)
	}
	replayed.Answer.Stored = time.Time{}
	if !reflect.DeepEqual(replayed.Answer, storetest.Created()) {
		t.Errorf("got %+v, want %+v", replayed.Answer, storetest.Created())
	}
	if claim := storetest.MustBegin(t, s, lost, claims.Unknown); claim.Status != 502 {
		t.Errorf("got status %d, want 502", claim.Status)
	}
	if claim := storetest.MustBegin(t, s, running, claims.Unknown); claim.Status != 0 || !claim.Since.Equal(died.Since) {
		t.Errorf("got status %d, since %v, want 0 and %v", claim.Status, claim.Since, died.Since)
	}
	storetest.MustBegin(t, s, released, claims.Claimed)
	storetest.MustBegin(t, s, compute, claims.Claimed)
	if s.secret != before {
		t.Error("the hash key changed")
	}
	other := running
	other.Print = storetest.NewCall(true).Print
	storetest.MustBegin(t, s, other, claims.Mismatch)
}

func TestFileIsPrivate(t *testing.T) {
	s := openAt(t, newPath(t), storetest.Roomy())
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
	s := openAt(t, newPath(t), storetest.Roomy())
	if other, err := Open(s.path, s.limits, storetest.Unbounded{}); err == nil {
		t.Fatal("opened twice", other.Close())
	} else if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("got %v, want that %s is in use", err, s.path)
	}
	storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
}

func TestFileThatCannotBeMadeIsRefusedByName(t *testing.T) {
	directory := t.TempDir()
	for _, path := range []string{directory + "/none/answers.db", directory} {
		if s, err := Open(path, storetest.Roomy(), storetest.Unbounded{}); err == nil {
			t.Error("opened", s.Close())
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
	}
}

func TestFileForgetsAfterTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t), storetest.Roomy())
		done, lost, running := storetest.NewCall(false), storetest.NewCall(true), storetest.NewCall(true)
		storetest.MustBegin(t, s, running, claims.Claimed)
		if err := errors.Join(
			s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()),
			s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 0),
		); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		storetest.MustBegin(t, s, done, claims.Done)
		storetest.MustBegin(t, s, lost, claims.Unknown)
		time.Sleep(time.Nanosecond)
		again := storetest.MustBegin(t, s, lost, claims.Claimed)
		if err := s.Release(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * sweepEvery)
		storetest.MustBegin(t, s, running, claims.Running)
		if got, want := s.writer.used, int64(quota.Marker); got != want {
			t.Errorf("%d bytes are left after the sweep, want the running one's %d", got, want)
		}
		time.Sleep(time.Hour)
		s = reopened(t, s)
		storetest.MustBegin(t, s, running, claims.Claimed)
	})
}

func TestFileStaysWithinItsBytes(t *testing.T) {
	c := claims.Limits{TTL: time.Hour, Bytes: 12 * quota.Overhead}
	s := openAt(t, newPath(t), c)
	create, lost := storetest.NewCall(true), storetest.NewCall(true)
	running := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	if err := errors.Join(
		s.Finish(t.Context(), storetest.MustBegin(t, s, create, claims.Claimed), &claims.Answer{Status: 200}),
		s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 0),
	); err != nil {
		t.Fatal(err)
	}
	var computes []claims.Call
	for range 20 {
		call := storetest.NewCall(false)
		computes = append(computes, call)
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, call, claims.Claimed), &claims.Answer{Status: 200, Body: make([]byte, quota.Overhead)}); err != nil {
			t.Fatal(err)
		}
		if s.writer.used > c.Bytes {
			t.Fatalf("%d bytes kept, want at most %d", s.writer.used, c.Bytes)
		}
	}
	used := s.writer.used
	s = reopened(t, s)
	if s.writer.used != used {
		t.Errorf("%d bytes after opening, want %d", s.writer.used, used)
	}
	storetest.MustBegin(t, s, computes[0], claims.Claimed)
	storetest.MustBegin(t, s, computes[19], claims.Done)
	storetest.MustBegin(t, s, create, claims.Done)
	storetest.MustBegin(t, s, lost, claims.Unknown)
	storetest.MustBegin(t, s, running.Call, claims.Unknown)
}

func TestFileEvictsNothingInFlight(t *testing.T) {
	s := openAt(t, newPath(t), claims.Limits{TTL: time.Hour, Bytes: 8 * quota.Overhead})
	running := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	var last claims.Call
	for range 20 {
		last = storetest.NewCall(true)
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, last, claims.Claimed), &claims.Answer{Status: 200}); err != nil {
			t.Fatal(err)
		}
	}
	s = reopened(t, s)
	storetest.MustBegin(t, s, running.Call, claims.Unknown)
	storetest.MustBegin(t, s, last, claims.Done)
}

// An edit must not fail only because it shared a transaction with one that does not fit.
func TestFileFailsOnlyTheEditsOfABatchThatDoNotFit(t *testing.T) {
	s := openAt(t, newPath(t), storetest.Roomy())
	call := storetest.NewCall(true)
	large := request{func(*fileTx) error { return syscall.ENOSPC }, make(chan error, 1)}
	small := request{putEdit(record.Record{State: claims.Done, Call: call, At: time.Now(), Status: 200}, classCreate), make(chan error, 1)}
	s.commit([]request{small, large})
	if err := <-large.result; !errors.Is(err, claims.ErrFull) {
		t.Errorf("the large one: %v, want ErrFull", err)
	}
	if err := <-small.result; err != nil {
		t.Errorf("the small one: %v", err)
	}
	storetest.MustBegin(t, s, call, claims.Done)
}

func TestFileReusesTheSpaceOfDeletedRecords(t *testing.T) {
	s := openAt(t, newPath(t), claims.Limits{TTL: time.Hour, Bytes: 1 << 20})
	answer := &claims.Answer{Status: 200, Body: make([]byte, 20<<10)}
	for range 300 {
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed), answer); err != nil {
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
	answer := &claims.Answer{Status: 200, Header: storetest.Created().Header, Body: make([]byte, 4<<10)}
	for name, call := range map[string]func() claims.Call{
		"compute": func() claims.Call { return storetest.NewCall(false) },
		"create":  func() claims.Call { return storetest.NewCall(true) },
	} {
		b.Run(name, func(b *testing.B) {
			s := openAt(b, newPath(b), claims.Limits{TTL: time.Hour, Bytes: 64 << 20})
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
		s := openAt(b, newPath(b), claims.Limits{TTL: time.Hour, Bytes: 64 << 20})
		done := storetest.NewCall(false)
		claim, err := s.Begin(b.Context(), done)
		if err := errors.Join(err, s.Finish(b.Context(), claim, answer)); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if claim, err := s.Begin(b.Context(), done); err != nil || claim.State != claims.Done {
				b.Fatal(claim.State, err)
			}
		}
	})
}
