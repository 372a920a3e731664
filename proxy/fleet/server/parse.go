package server

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"outrigger/internal/values"

	goredis "github.com/redis/go-redis/v9"
)

// ErrURL says that a text is no URL of a server.
var ErrURL = errors.New("not a Redis URL")

// form is what the scheme of a URL says.
type form struct {
	tls      bool
	topology string // "", "sentinel" or "cluster"
}

// port is where servers of the form listen by default.
func (f form) port() string {
	if f.topology == "sentinel" {
		return "26379"
	}
	return "6379"
}

// Parse reads a URL, and the files of certificates that it names. The error is an ErrURL that
// says what to write instead. It quotes no part of the URL but a scheme, an option's name and
// a file's.
func Parse(raw string) (Server, error) {
	raw = strings.TrimSpace(raw)
	s, err := parse(raw)
	if err != nil {
		return Server{}, fmt.Errorf("%w: %w", ErrURL, err)
	}
	s.URL = values.NewSecret(raw)
	return s, nil
}

// parse does not use net/url for the whole: it refuses several hosts with ports, and its
// errors quote passwords.
func parse(raw string) (Server, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return Server{}, errors.New("want redis://host:6379, with user:password@ before the host where the server wants them")
	}
	f, err := readScheme(strings.ToLower(scheme))
	if err != nil {
		return Server{}, err
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	authority, rest := rest[:end], rest[end:]
	if strings.ContainsAny(rest, "@#") {
		return Server{}, errors.New("the characters / ? # and @ of a user, password or path must be written as %2F %3F %23 and %40")
	}
	path, query, asked := strings.Cut(rest, "?")
	options := &goredis.UniversalOptions{}
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		if options.Username, options.Password, err = readUser(authority[:i]); err != nil {
			return Server{}, err
		}
		authority = authority[i+1:]
	}
	if options.Addrs, err = readHosts(authority, f); err != nil {
		return Server{}, err
	}
	if err := readPath(strings.TrimPrefix(path, "/"), f, options); err != nil {
		return Server{}, err
	}
	if asked {
		if err := readQuery(query, f, options); err != nil {
			return Server{}, err
		}
	}
	if f.tls && options.TLSConfig == nil {
		options.TLSConfig = newTLS()
	}
	name := strings.ToLower(scheme) + "://" + strings.Join(options.Addrs, ",")
	if options.MasterName != "" {
		name += "/" + url.PathEscape(options.MasterName)
	}
	return Server{Name: name, cluster: f.topology == "cluster", options: options}, nil
}

func readScheme(scheme string) (form, error) {
	base, topology, extended := strings.Cut(scheme, "+")
	f := form{tls: base == "rediss" || base == "valkeys", topology: topology}
	known := f.tls || base == "redis" || base == "valkey"
	if !known || extended && topology != "sentinel" && topology != "cluster" {
		return form{}, errors.New("want redis:// or valkey://, with +sentinel or +cluster before :// where that is meant, and rediss:// or valkeys:// for TLS")
	}
	return f, nil
}

// readUser reads user:password. Each may be empty but not the password.
func readUser(text string) (string, string, error) {
	user, password, _ := strings.Cut(text, ":")
	user, userErr := url.PathUnescape(user)
	password, passwordErr := url.PathUnescape(password)
	switch {
	case userErr != nil || passwordErr != nil:
		return "", "", errors.New("in user and password, the character % must be written as %25")
	case password == "":
		return "", "", errors.New("there is a user and no password before the @: write user:password@, or :password@ for a password alone")
	}
	return user, password, nil
}

// readPath reads what follows the hosts, without its first slash: the name of the master that
// the sentinels watch, and the number of a database.
func readPath(path string, f form, options *goredis.UniversalOptions) error {
	database := path
	if f.topology == "sentinel" {
		master, rest, _ := strings.Cut(path, "/")
		master, err := url.PathUnescape(master)
		if err != nil || master == "" {
			return errors.New("want the name of the master behind the sentinels: redis+sentinel://host:26379/mymaster")
		}
		options.MasterName, database = master, rest
	}
	if database == "" {
		return nil
	}
	n, err := strconv.ParseUint(database, 10, 15)
	switch {
	case err != nil || strconv.FormatUint(n, 10) != database:
		return errors.New("want the number of a database at the end of the path, such as /0, or nothing")
	case f.topology == "cluster" && n != 0:
		return errors.New("want no database: a cluster has 0 alone")
	}
	options.DB = int(n)
	return nil
}
