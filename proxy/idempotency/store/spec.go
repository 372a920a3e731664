package store

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"outrigger/internal/values"
)

// ErrSpec says that a text names no store.
var ErrSpec = errors.New("not a store")

// Spec names a store. The zero value is the memory of this process. Its text form is
// memory, file:/path/file.db, redis://[user:password@]host[:port][/database] or the
// same with rediss for TLS. A Redis URL is a secret: no formatter prints more of it
// than scheme and host.
type Spec struct {
	path  string
	redis values.Secret
	shown string // the text without what is secret; "" for memory
}

// Check reports what is wrong with a store's text form, without opening the store:
// an ErrSpec that does not repeat the text.
func Check(text string) error { return new(Spec).UnmarshalText([]byte(text)) }

// UnmarshalText reads the text form. Anything else is an error as from Check, and
// leaves the Spec as it was.
func (s *Spec) UnmarshalText(text []byte) error {
	given := strings.TrimSpace(string(text))
	if given == "memory" {
		*s = Spec{}
		return nil
	}
	if path, ok := strings.CutPrefix(given, "file:"); ok {
		return s.setFile(path)
	}
	if strings.HasPrefix(given, "redis://") || strings.HasPrefix(given, "rediss://") {
		return s.setRedis(given)
	}
	return fmt.Errorf("%w: want memory, file:/path/file.db, redis://host:port or rediss://host:port", ErrSpec)
}

func (s *Spec) setFile(path string) error {
	path = strings.TrimPrefix(path, "//") // file:///path
	if !filepath.IsAbs(path) || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%w: want file: and the absolute path of a file", ErrSpec)
	}
	*s = Spec{path: filepath.Clean(path), shown: "file:" + filepath.Clean(path)}
	return nil
}

func (s *Spec) setRedis(given string) error {
	u, err := url.Parse(given)
	if err != nil || u.Hostname() == "" { // the error would quote the password
		return fmt.Errorf("%w: want redis://user:password@host:port/database, with %%-escapes in the password", ErrSpec)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return fmt.Errorf("%w: a Redis URL takes no query and no fragment", ErrSpec)
	}
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "6379"), 10, 16); err != nil || port == 0 {
		return fmt.Errorf("%w: the port of a Redis URL is 1 to 65535", ErrSpec)
	}
	if database := strings.TrimPrefix(u.Path, "/"); database != "" {
		if n, err := strconv.ParseUint(database, 10, 16); err != nil || strconv.FormatUint(n, 10) != database {
			return fmt.Errorf("%w: the path of a Redis URL is the number of a database", ErrSpec)
		}
	}
	shown := url.URL{Scheme: u.Scheme, Host: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "6379"))}
	*s = Spec{redis: values.NewSecret(given), shown: shown.String()}
	return nil
}

// String returns the text form without user, password and database.
func (s Spec) String() string {
	if s.shown == "" {
		return "memory"
	}
	return s.shown
}

// MarshalText writes what String returns.
func (s Spec) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
