package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestReadersAreIndependent(t *testing.T) {
	for name, size := range map[string]int{"memory": 50_000, "spool": 500_000} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, roomy)
			want := content(size)
			b := mustRead(t, s, want, -1)
			first := b.Reader()
			_, _ = io.CopyN(io.Discard, first, 1234)
			if first.Len() != int64(size-1234) {
				t.Errorf("Len after 1234 bytes: %d, want %d", first.Len(), size-1234)
			}
			first.Close()
			_, err := first.Read(make([]byte, 1))
			if !errors.Is(err, ErrClosed) {
				t.Errorf("a closed reader reads on: %v", err)
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { wantContent(t, b.Reader(), want) })
				all.Go(func() { wantContent(t, iotest.HalfReader(b.Reader()), want) })
				all.Go(func() { wantCopy(t, b.Reader(), want) })
			}
			all.Wait()
		})
	}
}

func wantCopy(t *testing.T, r *Reader, want []byte) {
	t.Helper()
	var got bytes.Buffer
	n, err := r.WriteTo(&got)
	if err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) || r.Len() != 0 {
		t.Errorf("WriteTo wrote %d of %d bytes, error %v, %d left", n, len(want), err, r.Len())
	}
}

func TestWriteToGoesOnWhereReadStopped(t *testing.T) {
	for name, size := range map[string]int{"memory": 50_000, "spool": 500_000} {
		t.Run(name, func(t *testing.T) {
			want := content(size)
			r := mustRead(t, newStore(t, roomy), want, -1).Reader()
			_, err := io.ReadFull(r, make([]byte, 7777))
			if err != nil {
				t.Fatal(err)
			}
			wantCopy(t, r, want[7777:])
		})
	}
}

func TestWriteToReportsTheWritersError(t *testing.T) {
	for name, size := range map[string]int{"memory": 50_000, "spool": 500_000} {
		t.Run(name, func(t *testing.T) {
			body := mustRead(t, newStore(t, roomy), content(size), -1)
			for _, want := range []error{io.ErrShortWrite, io.EOF} { // io.EOF ends the reading, not the writing
				r := body.Reader()
				n, err := r.WriteTo(failing{want})
				if !errors.Is(err, want) || n != 5 || r.Len() != int64(size-5) {
					t.Errorf("wrote %d, error %v, %d left; want 5, %v, %d", n, err, r.Len(), want, size-5)
				}
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 5, f.err }

func TestReadsAfterCloseFail(t *testing.T) {
	for name, size := range map[string]int{"memory": 50_000, "spool": 500_000} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, roomy)
			b := mustRead(t, s, content(size), -1)
			before, finished := b.Reader(), b.Reader()
			wantContent(t, finished, content(size))
			for range 3 {
				if err := b.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if memory, spool := s.Usage(); memory != 0 || spool != 0 {
				t.Errorf("after Close memory %d, spool %d", memory, spool)
			}
			for which, r := range map[string]*Reader{"made before": before, "made after": b.Reader()} {
				_, err := r.Read(make([]byte, 1))
				if !errors.Is(err, ErrClosed) {
					t.Errorf("reader %s Close: %v, want ErrClosed", which, err)
				}
				_, err = r.WriteTo(io.Discard)
				if !errors.Is(err, ErrClosed) {
					t.Errorf("WriteTo of the reader %s Close: %v, want ErrClosed", which, err)
				}
			}
			if _, err := finished.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // a reader must not wrap it
				t.Errorf("a reader at the end: %v, want EOF", err)
			}
			if b.Size() != int64(size) {
				t.Errorf("Size after Close: %d, want %d", b.Size(), size)
			}
		})
	}
}

// slowWriter stops in its first Write until told to go on, and then keeps a copy.
type slowWriter struct {
	writing, goOn chan struct{}
	got           bytes.Buffer
}

func (w *slowWriter) Write(p []byte) (int, error) {
	if w.got.Len() == 0 {
		close(w.writing)
		<-w.goOn
	}
	return w.got.Write(p)
}

func TestReadInProgressKeepsItsMemoryThroughClose(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		piece int // what one Write gets
	}{"memory": {4096, 4096}, "spool": {200_000, 4096}} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, roomy)
			want := content(c.size)
			b := mustRead(t, s, want, -1)
			w := &slowWriter{writing: make(chan struct{}), goOn: make(chan struct{})}
			done := make(chan error)
			go func() {
				_, err := b.Reader().WriteTo(w)
				done <- err
			}()
			<-w.writing
			b.Close()
			if memory, _ := s.Usage(); memory == 0 {
				t.Error("the memory under a read in progress counts as free")
			}
			for range 50 { // others that would take the block, had it gone back to the pool
				other, err := s.Read(strings.NewReader(strings.Repeat("X", c.size)), -1)
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
			}
			close(w.goOn)
			err := <-done
			if c.size == c.piece && err != nil || c.size > c.piece && !errors.Is(err, ErrClosed) {
				t.Errorf("WriteTo: %v", err)
			}
			if got := w.got.Bytes(); len(got) < c.piece || !bytes.Equal(got, want[:len(got)]) {
				t.Errorf("%d bytes were written, not all of them the body's", len(got))
			}
		})
	}
}

func TestBlocksGoRoundWithoutMixingBodies(t *testing.T) {
	s := newStore(t, roomy)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 200 {
				p := bytes.Repeat([]byte{byte(worker*31 + i)}, 1+(worker*7919+i*104729)%100_000)
				b, err := s.Read(bytes.NewReader(p), []int64{-1, int64(len(p))}[i%2])
				if err != nil {
					t.Errorf("Read: %v", err)
					return
				}
				r := b.Reader()
				all.Go(func() { // as a transport that goes on reading while the handler closes
					got, err := io.ReadAll(r)
					if err != nil && !errors.Is(err, ErrClosed) || !bytes.Equal(got, p[:len(got)]) {
						t.Errorf("a reader during Close: %d of %d bytes, or wrong ones: %v", len(got), len(p), err)
					}
				})
				wantContent(t, b.Reader(), p)
				b.Close()
			}
		})
	}
	all.Wait()
}

func TestSmallBodyAllocatesAtMostTwice(t *testing.T) {
	if raceEnabled {
		t.Skip("under -race, pools forget at random")
	}
	s := newStore(t, roomy)
	p, r, buf := content(500), bytes.NewReader(nil), make([]byte, 1024)
	got := testing.AllocsPerRun(200, func() {
		r.Reset(p)
		b, err := s.Read(r, 500)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = b.Reader().Read(buf)
		b.Close()
	})
	if got > 2 { // the Body and the Reader
		t.Errorf("%v allocations for a body of 500 bytes and its reader, want at most 2", got)
	}
}

func TestDescriptorsAreClosed(t *testing.T) {
	c := roomy
	c.Dir = t.TempDir()
	open := func() int {
		names, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(names) == 0 {
			t.Skip("needs /proc")
		}
		n := 0
		for _, name := range names {
			if to, err := os.Readlink(name); err == nil && strings.HasPrefix(to, c.Dir) {
				n++
			}
		}
		return n
	}
	s := newStore(t, c)
	for range 20 {
		b := mustRead(t, s, content(200_000), -1)
		defer b.Close()
		_, err := s.Read(io.MultiReader(bytes.NewReader(content(200_000)), iotest.ErrReader(io.ErrClosedPipe)), -1)
		if err == nil {
			t.Error("a broken caller's body was kept")
		}
		_, err = s.Read(bytes.NewReader(content(9<<20)), -1)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("error %v, want ErrTooLarge", err)
		}
		during := open()
		if b.Close(); during < 1 || during > 2 {
			t.Errorf("%d descriptors of spool files with one spooled body, want its own, and that of those before", during)
		}
	}
	var many []*Body
	for range 3 * idleFiles {
		many = append(many, mustRead(t, s, content(200_000), -1))
	}
	if during := open(); during != len(many) {
		t.Errorf("%d descriptors of spool files with %d spooled bodies", during, len(many))
	}
	for _, b := range many {
		b.Close()
	}
	if after := open(); after != idleFiles {
		t.Errorf("%d descriptors of spool files, want the %d for the next bodies", after, idleFiles)
	}
}

func TestASpoolFileIsUsedAgainAndEmpty(t *testing.T) {
	s := newStore(t, roomy)
	made := 0
	s.create = (&files{make: func(dir string) (file, error) { made++; return createUnlinked(dir) }}).create
	for size := 900_000; size > 100_000; size -= 100_000 {
		want := content(size)
		b := mustRead(t, s, want, -1)
		f := b.file.(*lentFile).file.(*os.File)
		if got, err := io.ReadAll(b.Reader()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v, want the %d of this body", len(got), err, len(want))
		}
		b.Close()
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			t.Errorf("the file between two bodies: %v, %v, want it empty", info.Size(), err)
		}
	}
	if made != 1 {
		t.Errorf("%d files were made for bodies one after the other, want 1", made)
	}
}
