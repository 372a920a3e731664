package spool

import "sync"

// idleFiles is how many spool files are kept for the next bodies. Bodies of every size pass through
// them in turn, so a few are enough; each takes a descriptor and, being empty, no space.
const idleFiles = 8

// files makes spool files of those that bodies have closed. A new file costs the filesystem far more
// than the few KiB that it often holds, and all who make or delete one wait for the directory's lock:
// on ext4, a few hundred a second made the inode's search the greater part of the process's CPU time.
// It is safe for concurrent use.
type files struct {
	make func(dir string) (file, error)

	mu   sync.Mutex
	idle []file
}

// create returns an empty file, which goes back with Close. It has the signature of createUnlinked.
func (s *files) create(dir string) (file, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		f := s.idle[n-1]
		s.idle[n-1], s.idle = nil, s.idle[:n-1]
		s.mu.Unlock()
		return &lentFile{f, s}, nil
	}
	s.mu.Unlock()
	f, err := s.make(dir)
	if err != nil {
		return nil, err
	}
	return &lentFile{f, s}, nil
}

// lentFile is a file in the hands of a body.
type lentFile struct {
	file
	from *files
}

// Close empties the file and keeps it for the next body, or closes it.
func (f *lentFile) Close() error {
	if err := f.Truncate(0); err != nil {
		_ = f.file.Close() // it has no name: nothing is left to report on
		return err
	}
	f.from.mu.Lock()
	defer f.from.mu.Unlock()
	if len(f.from.idle) >= idleFiles {
		return f.file.Close()
	}
	f.from.idle = append(f.from.idle, f.file)
	return nil
}
