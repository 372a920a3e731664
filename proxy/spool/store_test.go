package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"outrigger/internal/values"
)

// roomy has bounds that no test of one body reaches by accident.
var roomy = Config{BodyMemory: 64 << 10, BodyMax: 8 << 20, MemoryMax: 4 << 20, SpoolMax: 16 << 20}

func newStore(t *testing.T, c Config) *Store {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	s := New(c)
	t.Cleanup(func() {
		memory, spool := s.Usage()
		if memory != 0 || spool != 0 {
			t.Errorf("after the test memory %d and spool %d are in use, want 0 and 0", memory, spool)
		}
	})
	return s
}

// content is n bytes that no block boundary aligns with.
func content(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}

func mustRead(t *testing.T, s *Store, p []byte, announced int64) *Body {
	t.Helper()
	b, err := s.Read(bytes.NewReader(p), announced)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func wantContent(t *testing.T, r io.Reader, want []byte) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("reading: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes that differ from the %d sent", len(got), len(want))
	}
}

func TestBodyStaysInMemoryUpToBodyMemory(t *testing.T) {
	tests := map[string]struct {
		size      int
		announced int64
		inMemory  bool
		memory    int64 // capacity of its blocks
	}{
		"empty":                         {0, 0, true, 0},
		"empty, length unknown":         {0, -1, true, 0},
		"one byte":                      {1, 1, true, 1 << 10},
		"500 bytes in one small block":  {500, 500, true, 1 << 10},
		"20 KB in one block":            {20_000, 20_000, true, 32 << 10},
		"500 bytes, length unknown":     {500, -1, true, 4 << 10},
		"20 KB, length unknown":         {20_000, -1, true, (4 + 4 + 8 + 16) << 10},
		"exactly the limit":             {64 << 10, 64 << 10, true, 64 << 10},
		"exactly the limit, unknown":    {64 << 10, -1, true, 64 << 10},
		"one over the limit":            {64<<10 + 1, 64<<10 + 1, false, 0},
		"one over the limit, unknown":   {64<<10 + 1, -1, false, 0},
		"far over the limit":            {1 << 20, 1 << 20, false, 0},
		"far over the limit, unknown":   {1 << 20, -1, false, 0},
		"more than announced is kept":   {3000, 1000, true, (1 + 1 + 2) << 10},
		"much more than announced also": {300_000, 1000, false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, roomy)
			want := content(tt.size)
			b := mustRead(t, s, want, tt.announced)
			spooled := int64(tt.size)
			if tt.inMemory {
				spooled = 0
			}
			memory, spool := s.Usage()
			if b.Size() != int64(tt.size) || b.InMemory() != tt.inMemory || memory != tt.memory || spool != spooled {
				t.Errorf("size %d, in memory %t, usage %d and %d; want %d, %t, %d and %d",
					b.Size(), b.InMemory(), memory, spool, tt.size, tt.inMemory, tt.memory, spooled)
			}
			wantContent(t, b.Reader(), want)
			if tt.size <= 64<<10+1 {
				wantContent(t, iotest.OneByteReader(b.Reader()), want)
			}
		})
	}
}

func TestBodyMemoryNeedNotBeAPowerOfTwo(t *testing.T) {
	c := roomy
	c.BodyMemory = 5000
	for size, inMemory := range map[int]bool{4999: true, 5000: true, 5001: false, 8192: false} {
		for _, announced := range []int64{-1, 1, int64(size)} {
			b := mustRead(t, newStore(t, c), content(size), announced)
			if b.InMemory() != inMemory {
				t.Errorf("%d bytes, %d announced: in memory %t, want %t", size, announced, b.InMemory(), inMemory)
			}
			wantContent(t, b.Reader(), content(size))
		}
	}
}

func TestBodiesSpoolWhenTheMemoryForAllIsUsed(t *testing.T) {
	s := newStore(t, Config{BodyMemory: 1 << 20, BodyMax: 1 << 20, MemoryMax: 1 << 20, SpoolMax: 1 << 30})
	var spooled int
	for range 40 {
		if !mustRead(t, s, content(64<<10), 64<<10).InMemory() {
			spooled++
		}
	}
	memory, spool := s.Usage()
	if want := 40 - 14; spooled != want || memory != 14*64<<10 || spool != int64(want)*64<<10 {
		t.Errorf("%d of 40 spooled, memory %d, spool %d; want 14 of 64 KiB in 7/8 MiB and the rest spooled", spooled, memory, spool)
	}
}

func TestReserveSharesTheMemoryOfBodies(t *testing.T) {
	s := newStore(t, Config{BodyMemory: 1 << 20, BodyMax: 1 << 20, MemoryMax: 1 << 20, SpoolMax: 1 << 30})
	if !s.Reserve(896 << 10) {
		t.Fatal("Reserve of seven eighths of an empty store was refused")
	}
	defer s.Free(896 << 10)
	if s.Reserve(1) || s.Reserve(-1) {
		t.Error("Reserve granted a byte over its share, or a negative one")
	}
	if !s.Reserve(0) {
		t.Error("Reserve refused nothing at all")
	}
	if mustRead(t, s, content(1000), 1000).InMemory() {
		t.Error("a body went to memory that is reserved")
	}
}

// stalled blocks every read until it is released, then ends.
type stalled struct{ reading, release chan struct{} }

func (r stalled) Read([]byte) (int, error) {
	r.reading <- struct{}{}
	<-r.release
	return 0, io.ErrUnexpectedEOF
}

func TestCallerThatAnnouncesMuchAndSendsNothingHoldsNothing(t *testing.T) {
	s := newStore(t, Config{BodyMemory: 1 << 30, BodyMax: 1 << 30, MemoryMax: 2 << 30, SpoolMax: 1 << 30})
	r := stalled{make(chan struct{}), make(chan struct{})}
	done := make(chan error)
	go func() {
		_, err := s.Read(r, 1<<30)
		done <- err
	}()
	<-r.reading
	memory, spool := s.Usage()
	if memory != 0 || spool != 0 {
		t.Errorf("memory %d, spool %d, want 0 and 0", memory, spool)
	}
	close(r.release)
	if err := <-done; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want the caller's", err)
	}
}

func TestSlowCallerHoldsAtMostTwiceWhatItSent(t *testing.T) {
	s := newStore(t, Config{BodyMemory: 1 << 20, BodyMax: 1 << 20, MemoryMax: 1 << 30})
	for _, announced := range []int64{1 << 20, -1} {
		sent, worst := int64(0), int64(0)
		r := readerFunc(func(p []byte) (int, error) {
			if memory, _ := s.Usage(); memory > max(2*sent, firstBlock) {
				worst = max(worst, memory-2*sent)
			}
			if sent == 1<<20 {
				return 0, io.EOF
			}
			sent++
			return 1, nil
		})
		b, err := s.Read(r, announced)
		if err != nil || worst != 0 {
			t.Errorf("announced %d: error %v, held %d bytes more than twice what was sent", announced, err, worst)
		}
		b.Close()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBodyOverTheLimitIsRefused(t *testing.T) {
	tests := map[string]struct {
		size, announced int64
		read            int64 // at most so many bytes are read for the answer
		want            error
	}{
		"announced: nothing is read":   {9 << 20, 8<<20 + 1, 0, ErrTooLarge},
		"unknown: one byte over":       {9 << 20, -1, 8<<20 + 1, ErrTooLarge},
		"sent more than was announced": {9 << 20, 100, 8<<20 + 1, ErrTooLarge},
		"exactly the limit":            {8 << 20, 8 << 20, 8 << 20, nil},
		"exactly the limit, unknown":   {8 << 20, -1, 8 << 20, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, roomy)
			r := &counted{r: io.LimitReader(zeros{}, tt.size)}
			b, err := s.Read(r, tt.announced)
			if !errors.Is(err, tt.want) || (b == nil) != (tt.want != nil) || r.n > tt.read {
				t.Errorf("error %v, body %v, %d bytes read; want %v, at most %d", err, b, r.n, tt.want, tt.read)
			}
			if b != nil {
				b.Close()
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestBrokenCallerIsAReadError(t *testing.T) {
	reset := syscall.ECONNRESET
	tests := map[string]struct {
		from      io.Reader
		announced int64
		want      error
	}{
		"at once":             {iotest.ErrReader(reset), 10, reset},
		"in memory":           {io.MultiReader(bytes.NewReader(content(1000)), iotest.ErrReader(reset)), -1, reset},
		"in the spool file":   {io.MultiReader(bytes.NewReader(content(1<<20)), iotest.ErrReader(reset)), 2 << 20, reset},
		"with the last bytes": {iotest.DataErrReader(io.MultiReader(bytes.NewReader(content(1000)), iotest.ErrReader(reset))), -1, reset},
		"shorter than said":   {bytes.NewReader(content(999)), 1000, io.ErrUnexpectedEOF},
		"spooled and shorter": {bytes.NewReader(content(1<<20 - 1)), 1 << 20, io.ErrUnexpectedEOF},
		"never any progress":  {readerFunc(func([]byte) (int, error) { return 0, nil }), -1, io.ErrNoProgress},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := newStore(t, roomy).Read(tt.from, tt.announced)
			var broken *ReadError
			if b != nil || !errors.As(err, &broken) || !errors.Is(err, tt.want) {
				t.Errorf("body %v, error %v, want a ReadError of %v", b, err, tt.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "reading the request body: ") {
				t.Errorf("message %q", err)
			}
		})
	}
}

func TestReaderThatPanicsLeavesNothingBehind(t *testing.T) {
	s := newStore(t, roomy)
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
	}()
	n := 0
	_, _ = s.Read(readerFunc(func(p []byte) (int, error) {
		n++
		if n == 3 {
			panic("broken reader")
		}
		return 1, nil
	}), -1)
}

func TestReadTakesBytesThatComeWithTheEnd(t *testing.T) {
	s := newStore(t, roomy)
	for _, size := range []int{1, 4096, 4097, 64 << 10, 200_000} {
		want := content(size)
		b, err := s.Read(iotest.DataErrReader(bytes.NewReader(want)), -1)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		wantContent(t, b.Reader(), want)
		b.Close()
	}
}

func TestProbeTellsWhetherTheDirectoryIsUsable(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if err := Probe(Config{SpoolMax: 1, Dir: missing}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Probe of a missing directory: %v, want ErrNotExist", err)
	}
	if err := Probe(Config{SpoolMax: 0, Dir: missing}); err != nil {
		t.Errorf("Probe without a spool: %v", err)
	}
	dir := t.TempDir()
	if err := Probe(Config{SpoolMax: 1, Dir: dir}); err != nil {
		t.Errorf("Probe of a usable directory: %v", err)
	}
	wantEmpty(t, dir)
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 0 {
		t.Errorf("the directory holds %v (%v), want nothing", names, err)
	}
}

func TestZeroConfigRefusesAllButEmptyBodies(t *testing.T) {
	s := newStore(t, Config{})
	_, err := s.Read(strings.NewReader("x"), -1)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	mustRead(t, s, nil, -1)
	s.config.BodyMax = values.Bytes(1)
	b, err := s.Read(strings.NewReader("x"), 1)
	if !errors.Is(err, ErrFull) || b == nil {
		t.Fatalf("body %v, error %v, want ErrFull and the prefix", b, err)
	}
	wantContent(t, b.Reader(), []byte("x"))
	b.Close()
}
