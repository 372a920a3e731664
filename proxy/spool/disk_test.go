package spool

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSpoolFileHasNoNameAndIsPrivate(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, Config{BodyMemory: 0, BodyMax: 1 << 20, MemoryMax: 1 << 20, SpoolMax: 1 << 20, Dir: dir})
	b := mustRead(t, s, content(100_000), -1)
	wantEmpty(t, dir)
	f := b.file.(*lentFile).file.(*os.File)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	links := info.Sys().(*syscall.Stat_t).Nlink
	if filepath.Dir(f.Name()) != dir || info.Mode() != fs.FileMode(0o600) || links != 0 || info.Size() != 100_000 {
		t.Errorf("in %s, mode %v, %d links, %d bytes; want %s, -rw-------, 0, 100000",
			filepath.Dir(f.Name()), info.Mode(), links, info.Size(), dir)
	}
}

// fullDisk is a disk with room for left bytes in all its files.
type fullDisk struct {
	left   int64
	opened []*diskFile
}

type diskFile struct {
	disk    *fullDisk
	content []byte
	closed  int
}

func (d *fullDisk) create(string) (file, error) {
	f := &diskFile{disk: d}
	d.opened = append(d.opened, f)
	return f, nil
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	n := min(int64(len(p)), f.disk.left)
	f.disk.left -= n
	f.content = append(f.content[:off], p[:n]...)
	if n < int64(len(p)) {
		return int(n), &fs.PathError{Op: "write", Path: "spool", Err: syscall.ENOSPC}
	}
	return int(n), nil
}

func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(f.content).ReadAt(p, off)
}

func (f *diskFile) Truncate(size int64) error {
	f.content = f.content[:size]
	return nil
}

func (f *diskFile) Close() error { f.closed++; return nil }

// tight has no memory for a body of more than about 64 KiB that should be on disk.
var tight = Config{BodyMemory: 64 << 10, BodyMax: 8 << 20, MemoryMax: 192 << 10, SpoolMax: 16 << 20}

func TestFullDiskKeepsThePrefixReadable(t *testing.T) {
	const size = 300_000
	tests := map[string]struct {
		disk      int64 // bytes that fit on it
		announced int64
		config    func(*Config)
		cause     error
	}{
		"disk full at the first byte":         {0, size, nil, syscall.ENOSPC},
		"disk full at the first byte, blind":  {0, -1, nil, syscall.ENOSPC},
		"disk full while memory is moved":     {10_000, -1, nil, syscall.ENOSPC},
		"disk full in the middle of a block":  {100_001, size, nil, syscall.ENOSPC},
		"disk full in the middle, blind":      {100_001, -1, nil, syscall.ENOSPC},
		"disk full with the last bytes":       {size - 1, -1, nil, nil}, // they stay in memory
		"spool used up":                       {1 << 30, -1, func(c *Config) { c.SpoolMax = 123_456 }, errSpool},
		"spool used up, announced":            {1 << 30, size, func(c *Config) { c.SpoolMax = 123_456 }, errSpool},
		"no spool":                            {1 << 30, -1, func(c *Config) { c.SpoolMax = 0 }, errSpool},
		"no spool, announced":                 {1 << 30, size, func(c *Config) { c.SpoolMax = 0 }, errSpool},
		"no memory even to carry to the disk": {1 << 30, size, func(c *Config) { c.MemoryMax = 512 }, errMemory},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := tight
			if tt.config != nil {
				tt.config(&c)
			}
			s := newStore(t, c)
			disk := &fullDisk{left: tt.disk}
			s.create = disk.create
			want := content(size)
			rest := bytes.NewReader(want)
			b, err := s.Read(rest, tt.announced)
			if b == nil {
				t.Fatalf("no body, error %v", err)
			}
			defer b.Close()
			if errors.Is(err, ErrFull) != (tt.cause != nil) || !errors.Is(err, tt.cause) {
				t.Errorf("error %v, want ErrFull because of %v", err, tt.cause)
			}
			sent := size - int64(rest.Len())
			if b.Size() != sent || tt.cause != nil && sent == size {
				t.Errorf("the body has %d bytes, %d were read of %d", b.Size(), sent, size)
			}
			memory, spool := s.Usage()
			if memory > int64(c.MemoryMax) || spool != b.onDisk || spool > min(tt.disk, int64(c.SpoolMax)) {
				t.Errorf("memory %d, spool %d, %d bytes on disk", memory, spool, b.onDisk)
			}
			wantContent(t, b.Reader(), want[:sent])
			wantCopy(t, b.Reader(), want[:sent])
			wantContent(t, b.Once(rest), want)
			b.Close()
			for i, f := range disk.opened {
				if f.closed != 1 {
					t.Errorf("spool file %d was closed %d times", i, f.closed)
				}
			}
		})
	}
}

func TestRealFullDeviceIsErrFull(t *testing.T) {
	s := newStore(t, tight)
	s.create = func(string) (file, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	want := content(100_000)
	rest := bytes.NewReader(want)
	b, err := s.Read(rest, -1)
	if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v, want ErrFull because of ENOSPC", err)
	}
	wantContent(t, b.Once(rest), want)
}

func TestUnusableDirectoryIsErrFull(t *testing.T) {
	c := tight
	c.Dir = filepath.Join(t.TempDir(), "missing")
	s := newStore(t, c)
	mustRead(t, s, content(1000), 1000) // memory needs no directory
	want := content(100_000)
	rest := bytes.NewReader(want)
	b, err := s.Read(rest, 100_000)
	if !errors.Is(err, ErrFull) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error %v, want ErrFull because of ErrNotExist", err)
	}
	if b.Size() != 1 || rest.Len() != 99_999 {
		t.Errorf("%d bytes kept, %d not yet read", b.Size(), rest.Len())
	}
	wantContent(t, b.Once(rest), want)
}

func TestOneFullBodyLeavesRoomForOthers(t *testing.T) {
	s := newStore(t, Config{BodyMemory: 1 << 10, BodyMax: 1 << 20, MemoryMax: 64 << 10, SpoolMax: 150_000})
	first := mustRead(t, s, content(100_000), -1)
	b, err := s.Read(bytes.NewReader(content(100_000)), -1)
	if !errors.Is(err, ErrFull) {
		t.Fatalf("error %v, want ErrFull", err)
	}
	b.Close()
	first.Close()
	mustRead(t, s, content(100_000), -1)
}

func TestLostSpoolFileIsAnErrorNotAShortBody(t *testing.T) {
	s := newStore(t, roomy)
	b := mustRead(t, s, content(200_000), -1)
	err := b.file.Truncate(50_000)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b.Reader())
	if len(got) != 50_000 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, error %v; want 50000 and ErrUnexpectedEOF", len(got), err)
	}
	n, err := b.Reader().WriteTo(io.Discard)
	if n != 50_000 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("WriteTo: %d bytes, error %v; want 50000 and ErrUnexpectedEOF", n, err)
	}
}
