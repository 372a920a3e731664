package authority

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// File returns the path of the certificate, for apps to trust, in directory.
func File(directory string) string { return filepath.Join(directory, "ca.pem") }

// private is the directory of what nobody else may read.
func private(directory string) string { return filepath.Join(directory, "private") }

// Open returns the authority in directory, which it makes if there is none, or if
// the one there ends within 30 days. Names are the hosts that it is needed for;
// localhost and the loopback addresses always are. If it exists and was made for
// others, that is an error. Processes that open it at once get the same one.
func Open(directory string, names ...string) (*Authority, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(private(directory), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := checkPrivate(private(directory), fs.ModeDir); err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(private(directory), "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()

	now, path, made := time.Now(), filepath.Join(private(directory), "ca-key.pem"), false
	cert, key, err := read(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && cert.NotAfter.Sub(now) < leastLife {
		cert, key, err = makeRoot(path, unique(names), now)
		made = true
	}
	if err != nil {
		return nil, err
	}
	if err := checkNames(directory, cert, unique(names)); err != nil {
		return nil, err
	}
	if err := publish(File(directory), cert); err != nil {
		return nil, err
	}
	return newAuthority(cert, key, made), nil
}

// Find is Open for an authority that is there: it makes none, however soon the one there
// ends.
func Find(directory string, names ...string) (*Authority, error) {
	if err := checkPrivate(private(directory), fs.ModeDir); err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(private(directory), "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	cert, key, err := read(filepath.Join(private(directory), "ca-key.pem"))
	if err != nil {
		return nil, err
	}
	if err := checkNames(directory, cert, unique(names)); err != nil {
		return nil, err
	}
	if err := publish(File(directory), cert); err != nil {
		return nil, err
	}
	return newAuthority(cert, key, false), nil
}

// makeRoot makes a new authority and writes it to path.
func makeRoot(path string, names []string, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	der, key, err := newRoot(names, now)
	if err != nil {
		return nil, nil, err
	}
	content, err := encode(der, key)
	if err != nil {
		return nil, nil, err
	}
	if err := write(path, content, 0o600); err != nil {
		return nil, nil, err
	}
	return read(path)
}

// checkNames refuses an authority that was made for other hosts.
func checkNames(directory string, cert *x509.Certificate, names []string) error {
	permitted := permittedBy(cert)
	i := slices.IndexFunc(names, func(name string) bool { return !permitted[name] })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%w: %q is wanted, and the one in %s is for %s; remove %s, start again, and have the apps trust the new %s",
		ErrNames, names[i], directory, strings.Join(slices.Sorted(maps.Keys(permitted)), ", "), private(directory), File(directory))
}
