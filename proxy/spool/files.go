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
	f := s.take()
	if f == nil {
		var err error
		if f, err = s.make(dir); err != nil {
			return nil, err
		}
	}
	return &lentFile{f, s}, nil
}

// take returns a file that is kept, nil if there is none.
func (s *files) take() file {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	f := s.idle[n-1]
	s.idle[n-1], s.idle = nil, s.idle[:n-1]
	return f
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
	if f.from.keep(f.file) {
		return nil
	}
	return f.file.Close()
}

// keep reports whether f is kept for the next body.
func (s *files) keep(f file) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) >= idleFiles {
		return false
	}
	s.idle = append(s.idle, f)
	return true
}
