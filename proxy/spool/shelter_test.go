package spool

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"outrigger/internal/values"
)

func TestABodyThatCannotBeSpooledStaysInMemoryWhileThereIsRoom(t *testing.T) {
	const size = 300_000
	tests := map[string]struct {
		disk      int64 // bytes that fit on it; -1: no directory
		announced int64
		spoolMax  values.Bytes
		cause     error
	}{
		"no directory":                      {-1, size, 16 << 20, fs.ErrNotExist},
		"no directory, blind":               {-1, -1, 16 << 20, fs.ErrNotExist},
		"disk full at the first byte":       {0, size, 16 << 20, syscall.ENOSPC},
		"disk full while memory is moved":   {10_000, -1, 16 << 20, syscall.ENOSPC},
		"disk full in the middle":           {100_001, size, 16 << 20, syscall.ENOSPC},
		"disk full in the middle, blind":    {100_001, -1, 16 << 20, syscall.ENOSPC},
		"spool used up by others, blind":    {1 << 30, -1, 123_456, errSpool},
		"no spool":                          {1 << 30, size, 0, errSpool},
		"no spool, blind":                   {1 << 30, -1, 0, errSpool},
		"a disk that takes it, for compare": {1 << 30, -1, 16 << 20, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := roomy
			c.SpoolMax = tt.spoolMax
			s := newStore(t, c)
			disk := &fullDisk{left: tt.disk}
			s.create = disk.create
			if tt.disk < 0 {
				s.create, s.config.Dir = createUnlinked, filepath.Join(t.TempDir(), "missing")
			}
			var told []error
			s.Unspooled = func(why error) { told = append(told, why) }
			want := content(size)
			b := mustRead(t, s, want, tt.announced)
			wantContent(t, b.Reader(), want)
			wantCopy(t, b.Reader(), want)
			if tt.cause == nil && len(told) > 0 || tt.cause != nil && (len(told) != 1 || !errors.Is(told[0], tt.cause)) {
				t.Errorf("told %v, want %v", told, tt.cause)
			}
			memory, spool := s.Usage()
			if memory != b.held() || spool != b.onDisk || memory+spool < size && tt.cause != nil {
				t.Errorf("memory %d, spool %d; the body holds %d and %d", memory, spool, b.held(), b.onDisk)
			}
		})
	}
}

// One body takes a quarter of the memory at most, and however many come, half is left.
func TestBodiesThatCannotBeSpooledLeaveMemoryToOthers(t *testing.T) {
	const size = 1 << 20
	c := Config{BodyMemory: 4 << 10, BodyMax: size, MemoryMax: size} // no spool
	s := newStore(t, c)
	b, err := s.Read(bytes.NewReader(content(size)), -1)
	if !errors.Is(err, ErrFull) || b.held() > s.heldMax()/4 || b.held() < s.heldMax()/16 {
		t.Errorf("one body holds %d of %d, error %v; want up to a quarter and ErrFull", b.held(), s.heldMax(), err)
	}
	b.Close()
	b, err = s.Read(bytes.NewReader(content(size)), size)
	if !errors.Is(err, ErrFull) || b.held() != 0 {
		t.Errorf("one that announced too much holds %d, error %v; want nothing and ErrFull", b.held(), err)
	}
	b.Close()
	for range 20 {
		b, err := s.Read(bytes.NewReader(content(size)), -1)
		if !errors.Is(err, ErrFull) {
			t.Fatalf("error %v, want ErrFull", err)
		}
		defer b.Close()
	}
	if memory, _ := s.Usage(); memory > s.heldMax()/2+20*4<<10 {
		t.Errorf("they hold %d of %d", memory, s.heldMax())
	}
	for range 20 { // small ones are served as ever
		mustRead(t, s, content(4000), 4000)
	}
}

func TestAFullMemoryIsNotTheDisksFault(t *testing.T) {
	c := roomy
	c.MemoryMax = 512
	s := newStore(t, c)
	s.Unspooled = func(why error) { t.Errorf("told %v", why) }
	b, err := s.Read(bytes.NewReader(content(100)), 100)
	if !errors.Is(err, errMemory) {
		t.Errorf("error %v, want errMemory", err)
	}
	b.Close()
}

func TestProbeFindsAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no /dev/full")
	}
	if err := probe(full); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want ENOSPC", err)
	}
}
