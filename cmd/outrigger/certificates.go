package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"

	"outrigger/internal/config"
	"outrigger/internal/connbound"
	"outrigger/proxy/authority"
	"outrigger/proxy/firstbyte"
	"outrigger/proxy/keypair"
	"outrigger/proxy/settings"
)

// listenTraffic opens the traffic listener, for TLS and cleartext.
func listenTraffic(ctx context.Context, cfg *config.Config, c *certificates, log *slog.Logger) (*firstbyte.Listener, *connbound.Listener, error) {
	listener, err := listen(ctx, config.Prefix+"LISTEN", cfg.Listen, log)
	if err != nil {
		return nil, nil, err
	}
	bounded := connbound.New(listener, connbound.Options{Most: maxConnections(cfg), Grace: connectionGrace, Yield: true, Lack: lackOf("traffic", log)})
	return firstbyte.New(bounded, c.firstByte()), bounded, nil
}

// firstByte returns how the traffic listener tells TLS from cleartext.
func (c *certificates) firstByte() firstbyte.Options {
	return firstbyte.Options{
		Patience: firstBytePatience,
		TLS: &tls.Config{
			GetCertificate: c.choose,
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"h2", "http/1.1"},
		},
	}
}

// certificates chooses what a caller that speaks TLS is shown. It is safe for
// concurrent use.
type certificates struct {
	given *keypair.Files // nil when none was
	names []string       // this listener's own
	// local returns the local authority, which it makes at its first call.
	local func() (*authority.Authority, error)
	own   localAuthority
	log   *slog.Logger
}

// localAuthority is the local authority once it was needed. Safe for concurrent use.
type localAuthority struct {
	directory string
	names     []string // that it vouches for

	mu     sync.Mutex
	opened bool
	found  *authority.Authority
	err    error
}

// get returns the authority, which open makes at the first call.
func (l *localAuthority) get(open func() (*authority.Authority, error)) (*authority.Authority, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened {
		l.opened = true
		l.found, l.err = open()
	}
	return l.found, l.err
}

// again reads the authority anew, if there is one in use, and returns what puts it into force.
func (l *localAuthority) again(log *slog.Logger) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		return func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.opened = l.found != nil // what failed is tried again at the next need
		}, nil
	}
	fresh, err := authority.Find(l.directory, l.names...)
	if err != nil {
		return nil, err
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !fresh.Is(l.found) {
			log.Info("local certificate authority renewed", slog.String("file", authority.File(l.directory)), slog.Time("until", fresh.Until()))
		}
		l.found, l.opened, l.err = fresh, true, nil
	}, nil
}

// reload reads all certificates anew, and returns what puts them into force. If one of them
// cannot be used, all stay as they are.
func (c *certificates) reload() (func(), error) {
	apply, err := c.own.again(c.log)
	if err != nil {
		return nil, fmt.Errorf("the local certificate authority in %s: %w", c.own.directory, err)
	}
	if c.given == nil {
		return apply, nil
	}
	renew, err := c.given.Reload()
	if err != nil {
		return nil, err
	}
	return func() { apply(); renew() }, nil
}

var errNoCertificate = errors.New("there is no certificate for callers that speak TLS: " +
	config.Prefix + "TLS_CERT_FILE and " + config.Prefix + "TLS_KEY_FILE give one")

// newCertificates reads the given certificate, or sees to the local authority where
// that is needed before the first caller is there.
func newCertificates(cfg *config.Config, log *slog.Logger) (*certificates, error) {
	host, _, _ := net.SplitHostPort(cfg.Listen)
	c := &certificates{names: []string{"localhost", "127.0.0.1", "::1"}, log: log}
	if host != "localhost" && config.IsLoopback(cfg.Listen) {
		c.names = append(c.names, host)
	}
	vouchFor := slices.Clone(c.names)
	if cfg.Callers.Intercept {
		vouchFor = append(vouchFor, hostsOf(cfg.Upstreams)...)
	}
	c.own.directory, c.own.names = cfg.CADir, vouchFor
	c.local = func() (*authority.Authority, error) {
		return c.own.get(func() (*authority.Authority, error) { return openAuthority(cfg, vouchFor, log) })
	}
	if cfg.TLS.CertFile != "" {
		given, err := keypair.Load(cfg.TLS.CertFile, cfg.TLS.KeyFile, log)
		if err != nil {
			return nil, err
		}
		c.given = given
	}
	switch {
	case !config.IsLoopback(cfg.Listen):
		c.local = func() (*authority.Authority, error) { return nil, errNoCertificate }
	case cfg.Callers.Intercept, cfg.TLS.CADir != "" && c.given == nil:
		if _, err := c.local(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// hostsOf returns the hosts of all upstreams, without ports.
func hostsOf(all []settings.Upstream) []string {
	hosts := make([]string, len(all))
	for i, u := range all {
		hosts[i] = u.URL.Hostname()
	}
	return hosts
}

// choose returns the certificate for one handshake: in an intercepted tunnel the one
// for its target, else this listener's own.
func (c *certificates) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	names := c.names
	if target := firstbyte.TargetOf(hello.Conn); target != "" {
		host, _, _ := net.SplitHostPort(target)
		names = []string{host}
	} else if c.given != nil {
		return c.given.Certificate(), nil
	}
	a, err := c.local()
	if err != nil {
		return nil, err
	}
	return a.Leaf(names...)
}

// openAuthority opens the local authority for these names, and tells where apps find it.
func openAuthority(cfg *config.Config, names []string, log *slog.Logger) (*authority.Authority, error) {
	if cfg.CADir == "" {
		err := errors.New("no home directory is known to keep it in: set " + config.Prefix + "CA_DIR")
		log.Warn("no local certificate authority, so none can be trusted", slog.Any("error", err))
		return nil, fmt.Errorf("no local certificate authority: %w", err)
	}
	a, err := authority.Open(cfg.CADir, names...)
	if err != nil {
		log.Warn("no local certificate authority, so none can be trusted", slog.Any("error", err))
		return nil, fmt.Errorf("no local certificate authority in %s, which "+config.Prefix+"CA_DIR sets: %w", cfg.CADir, err)
	}
	about := []any{slog.String("file", authority.File(cfg.CADir)), slog.Time("until", a.Until())}
	if a.Made() {
		log.Info("local certificate authority made: have the apps trust it", about...)
	} else {
		log.Info("local certificate authority found", about...)
	}
	return a, nil
}

// caFile returns the path of the local authority's certificate and since when it is
// there, or "" if this process would not use one.
func caFile(cfg *config.Config) (string, string) {
	if cfg.CADir == "" || cfg.TLS.CertFile != "" && !cfg.Callers.Intercept || !config.IsLoopback(cfg.Listen) {
		return "", ""
	}
	file := authority.File(cfg.CADir)
	if _, err := os.Stat(file); err == nil {
		return file, "made before"
	}
	if cfg.TLS.CADir != "" || cfg.Callers.Intercept {
		return file, "made at the start"
	}
	return file, "made on first need"
}
