package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"outrigger/internal/spelling"

	goredis "github.com/redis/go-redis/v9"
)

// optionNames are all options of a URL.
var optionNames = []string{"ca", "cert", "key", "server_name", "sentinel_user", "sentinel_password"}

// isName matches what may be quoted as the name of an option. Anything else could be a part
// of a password.
var isName = regexp.MustCompile(`^[a-z][a-z_-]{0,30}$`)

// readQuery reads the options.
func readQuery(query string, f form, options *goredis.UniversalOptions) error {
	given, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B")) // a + is a +, as it is before the hosts
	if err != nil {
		return errors.New("want options as ?name=value&name=value, with % written as %25")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(optionNames, name):
			return unknownOption(name)
		case len(given[name]) > 1 || given[name][0] == "":
			return errors.New("want one value for the option " + name)
		}
	}
	options.SentinelUsername, options.SentinelPassword = given.Get("sentinel_user"), given.Get("sentinel_password")
	switch {
	case f.topology != "sentinel" && (given.Has("sentinel_user") || given.Has("sentinel_password")):
		return errors.New("the options sentinel_user and sentinel_password are for redis+sentinel:// alone")
	case given.Has("sentinel_user") && !given.Has("sentinel_password"):
		return errors.New("the option sentinel_user wants sentinel_password beside it")
	case !f.tls && (given.Has("ca") || given.Has("cert") || given.Has("key") || given.Has("server_name")):
		return errors.New("the options ca, cert, key and server_name are for TLS: write rediss:// or valkeys://")
	case !f.tls:
		return nil
	}
	options.TLSConfig = newTLS()
	options.TLSConfig.ServerName = given.Get("server_name")
	if err := trust(options.TLSConfig, given.Get("ca")); err != nil {
		return err
	}
	return identify(options.TLSConfig, given.Get("cert"), given.Get("key"))
}

// unknownOption says which option may have been meant.
func unknownOption(name string) error {
	if !isName.MatchString(name) {
		return errors.New("the URL has an option that does not exist; there are " + strings.Join(optionNames, ", "))
	}
	near := slices.MinFunc(optionNames, func(a, b string) int { return spelling.Distance(name, a) - spelling.Distance(name, b) })
	if 2*spelling.Distance(name, near) <= len(name) {
		return fmt.Errorf("there is no option %s; the nearest is %s", name, near)
	}
	return fmt.Errorf("there is no option %s; there are %s", name, strings.Join(optionNames, ", "))
}

func newTLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// trust adds the certificates of a file to those of the system. No file adds none.
func trust(config *tls.Config, path string) error {
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		return errors.New("the option ca wants the absolute path of a file")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the file of the option ca cannot be read: %w", reason(err))
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // a machine without any
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(content) {
		return errors.New("the file of the option ca has no PEM certificate")
	}
	config.RootCAs = pool
	return nil
}

// identify sets the client certificate. Its files are read again for each connection, so
// that a renewed one is used.
func identify(config *tls.Config, cert, key string) error {
	switch {
	case cert == "" && key == "":
		return nil
	case cert == "" || key == "":
		return errors.New("the options cert and key want each other")
	case !filepath.IsAbs(cert) || !filepath.IsAbs(key):
		return errors.New("the options cert and key want absolute paths of files")
	}
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("the files of the options cert and key cannot be used: %w", reason(err))
		}
		return &pair, nil
	}
	if _, err := load(nil); err != nil {
		return err
	}
	config.GetClientCertificate = load
	return nil
}

// reason strips the path from an error about a file: behind a password with a ? it could be a
// part of that.
func reason(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
