package spool

import (
	"bytes"
	"errors"
	"io"
	"math"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"outrigger/internal/values"
)

func TestAccountGrantsNeverMoreThanItsLimit(t *testing.T) {
	tests := map[string]struct {
		used, n, limit int64
		want           bool
	}{
		"all of it":          {0, 10, 10, true},
		"the rest":           {7, 3, 10, true},
		"one too many":       {7, 4, 10, false},
		"nothing, when full": {10, 0, 10, true},
		"nothing, when over": {11, 0, 10, false},
		"would overflow":     {7, math.MaxInt64, 10, false},
		"no limit to speak":  {1 << 40, 1 << 40, math.MaxInt64, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var a account
			a.charge(tt.used)
			got, want := a.take(tt.n, tt.limit), tt.used
			if tt.want {
				want += tt.n
			}
			if got != tt.want || a.used.Load() != want {
				t.Errorf("take %t, %d in use; want %t, %d", got, a.used.Load(), tt.want, want)
			}
		})
	}
}

func TestClassIsTheSmallestThatFits(t *testing.T) {
	for n := int64(0); n <= maxBlock; n++ {
		c := class(n)
		if blockSize(c) < n || c > 0 && blockSize(c-1) >= n {
			t.Fatalf("class(%d) = %d of %d bytes", n, c, blockSize(c))
		}
	}
	if c := class(10 * maxBlock); blockSize(c) != maxBlock {
		t.Errorf("class of more than the largest block: %d bytes, want %d", blockSize(c), maxBlock)
	}
}

// live is a body that the model believes to be open.
type live struct {
	body    *Body
	want    []byte
	readers []*Reader
}

// TestAccountsAreExact drives a store at random and compares its accounts with
// the sum over the bodies that are open, after every step.
func TestAccountsAreExact(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			BodyMemory: values.Bytes(rapid.SampledFrom([]int64{0, 1, 5000, 65536, 1 << 20}).Draw(t, "body memory")),
			BodyMax:    400_000,
			MemoryMax:  values.Bytes(rapid.SampledFrom([]int64{0, 1024, 40_000, 200_000, 1 << 20}).Draw(t, "memory")),
			SpoolMax:   values.Bytes(rapid.SampledFrom([]int64{0, 1, 100_000, 1 << 20}).Draw(t, "spool")),
			Dir:        dir,
		}
		s := New(c)
		var open []live
		var reserved int64
		pick := func() int { return rapid.IntRange(0, len(open)-1).Draw(t, "which") }
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { wantUsage(t, s, open, reserved) },
			"read": func(t *rapid.T) {
				want := content(rapid.OneOf(rapid.IntRange(0, 5000), rapid.IntRange(0, 410_000)).Draw(t, "size"))
				b := readDrawn(t, s, want)
				if b != nil {
					open = append(open, live{body: b, want: want[:b.Size()]})
				}
			},
			"open a reader": func(t *rapid.T) {
				if len(open) > 0 {
					l := &open[pick()]
					l.readers = append(l.readers, l.body.Reader())
				}
			},
			"read on": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				l := open[pick()]
				for _, r := range l.readers {
					p := make([]byte, rapid.IntRange(1, 50_000).Draw(t, "bytes"))
					at := l.body.Size() - r.Len()
					n, err := r.Read(p)
					if err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], l.want[at:at+int64(n)]) {
						t.Fatalf("read %d bytes at %d: wrong, or %v", n, at, err)
					}
				}
			},
			"close": func(t *rapid.T) {
				if len(open) > 0 {
					i := pick()
					open[i].body.Close()
					open[i].body.Close()
					open = append(open[:i:i], open[i+1:]...)
				}
			},
			"reserve": func(t *rapid.T) {
				n := rapid.Int64Range(0, 100_000).Draw(t, "reserve")
				if s.Reserve(n) {
					reserved += n
				}
			},
			"free": func(*rapid.T) {
				s.Free(reserved)
				reserved = 0
			},
		})
		for _, l := range open {
			l.body.Close()
		}
		s.Free(reserved)
		wantUsage(t, s, nil, 0)
	})
}

// readDrawn reads want through a reader of drawn habits and checks the outcome.
func readDrawn(t *rapid.T, s *Store, want []byte) *Body {
	announced := rapid.SampledFrom([]int64{-1, int64(len(want)), int64(len(want)) / 2, int64(len(want)) + 1}).Draw(t, "announced")
	habit := rapid.SampledFrom([]func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.DataErrReader,
	}).Draw(t, "habit")
	b, err := s.Read(habit(bytes.NewReader(want)), announced)
	var broken *ReadError
	switch {
	case announced == 0 && len(want) > 0: // its half: nothing was to be read
	case errors.Is(err, ErrTooLarge):
		if int64(len(want)) <= int64(s.config.BodyMax) && announced <= int64(s.config.BodyMax) {
			t.Fatalf("%d bytes, announced %d: %v", len(want), announced, err)
		}
	case errors.As(err, &broken):
		if announced <= int64(len(want)) {
			t.Fatalf("%d bytes, announced %d: %v", len(want), announced, err)
		}
	case errors.Is(err, ErrFull):
	case err != nil:
		t.Fatalf("unknown error: %v", err)
	case b.Size() != int64(len(want)):
		t.Fatalf("%d bytes kept of %d", b.Size(), len(want))
	}
	return b
}

func wantUsage(t *rapid.T, s *Store, open []live, reserved int64) {
	memory, spool := s.Usage()
	wantMemory, wantSpool := reserved, int64(0)
	for _, l := range open {
		for _, block := range l.body.blocks {
			wantMemory += int64(len(block.buf))
		}
		wantSpool += l.body.onDisk
	}
	if memory != wantMemory || spool != wantSpool {
		t.Fatalf("accounts say memory %d, spool %d; held are %d and %d", memory, spool, wantMemory, wantSpool)
	}
	if memory > int64(s.config.MemoryMax) || spool > int64(s.config.SpoolMax) {
		t.Fatalf("memory %d of %d, spool %d of %d", memory, s.config.MemoryMax, spool, s.config.SpoolMax)
	}
}

func TestManyCallersAtOnceStayWithinBounds(t *testing.T) {
	c := Config{BodyMemory: 64 << 10, BodyMax: 1 << 20, MemoryMax: 512 << 10, SpoolMax: 2 << 20}
	s := newStore(t, c)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range 40 {
				size := 1 + (worker*7919+i*104729)%150_000
				watched := readerFunc(func(p []byte) (int, error) {
					memory, spool := s.Usage()
					if memory > int64(c.MemoryMax) || spool > int64(c.SpoolMax) {
						t.Errorf("memory %d, spool %d", memory, spool)
					}
					if size == 0 {
						return 0, io.EOF
					}
					n := min(len(p), size, 3000)
					size -= n
					return n, nil
				})
				announced := []int64{-1, int64(size)}[i%2]
				b, err := s.Read(watched, announced)
				if err != nil && !errors.Is(err, ErrFull) {
					t.Errorf("Read: %v", err)
					return
				}
				if i%3 == 0 && s.Reserve(10_000) {
					defer s.Free(10_000)
				}
				_, err = io.Copy(io.Discard, b.Reader())
				if err != nil {
					t.Errorf("reading back: %v", err)
				}
				b.Close()
			}
		})
	}
	all.Wait()
}
