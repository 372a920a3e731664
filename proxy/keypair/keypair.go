// Package keypair serves a certificate from two files that are renewed while they are in
// use, as Kubernetes and ACME clients do.
package keypair

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// recheck is how long a look at the files holds: certificates are renewed days
// before they expire, so that seconds do not matter.
const recheck = 10 * time.Second

// maxSize is far above what a chain of certificates takes.
const maxSize = 1 << 20

var errNoFile = errors.New("not a regular file of at most 1 MiB")

// Files is a certificate with its key, in PEM. Make it with Load. It is safe for
// concurrent use.
type Files struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	seen    [2]stamp // of the files that were looked at last
	looked  time.Time
}

// stamp tells two contents of a file apart: the files of a mounted Secret are
// replaced, so that a new one has its own time.
type stamp struct {
	changed time.Time
	size    int64
}

// Load reads the certificate chain, leaf first, and the key. The error tells what
// is wrong with them, and quotes neither.
func Load(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, looked: time.Now()}
	seen, err := f.stamps()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	f.seen, f.current = seen, &pair
	return f, nil
}

// Certificate returns the pair as the files have it now, or had it in the last ten
// seconds. Files that cannot be used change nothing but the log.
func (f *Files) Certificate() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= recheck {
		f.looked = now
		f.renew()
	}
	return f.current
}

// Reload reads the files now, and returns what puts the pair into force that they have.
func (f *Files) Reload() (func(), error) {
	fresh, err := Load(f.cert, f.key, f.log)
	if err != nil {
		return nil, err
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !bytes.Equal(f.current.Leaf.Raw, fresh.current.Leaf.Raw) {
			f.tell(fresh.current)
		}
		f.seen, f.current, f.looked = fresh.seen, fresh.current, fresh.looked
	}, nil
}

func (f *Files) tell(pair *tls.Certificate) {
	f.log.Info("certificate renewed", slog.String("file", f.cert), slog.Time("until", pair.Leaf.NotAfter))
}

// renew reads the files if they are not those that were read before.
func (f *Files) renew() {
	seen, err := f.stamps()
	if err == nil && seen == f.seen {
		return
	}
	pair := tls.Certificate{}
	if err == nil {
		pair, err = tls.LoadX509KeyPair(f.cert, f.key)
	}
	if err != nil { // told again at the next look: the old one will expire
		f.log.Warn("the renewed certificate cannot be used, the one before stays", slog.String("file", f.cert), slog.Any("error", err))
		return
	}
	f.seen, f.current = seen, &pair
	f.tell(&pair)
}

func (f *Files) stamps() ([2]stamp, error) {
	var seen [2]stamp
	for i, path := range [...]string{f.cert, f.key} {
		info, err := os.Stat(path)
		if err != nil {
			return seen, err
		}
		if !info.Mode().IsRegular() || info.Size() > maxSize {
			return seen, &fs.PathError{Op: "read", Path: path, Err: errNoFile}
		}
		seen[i] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}
