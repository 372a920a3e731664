package outward

import (
	"context"
	"net"
	"net/url"
	"time"

	"golang.org/x/net/proxy"
)

// Dialer is the signature of net.Dialer.DialContext.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Dial implements proxy.Dialer, which nobody calls.
func (d Dialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

// DialContext implements proxy.ContextDialer.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// IsSOCKS reports whether via is a SOCKS proxy. There need be none.
func IsSOCKS(via *url.URL) bool {
	return via != nil && (via.Scheme == "socks5" || via.Scheme == "socks5h")
}

// Through dials through a SOCKS proxy, which resolves the names. net/http speaks SOCKS5 too,
// but waits without bound for a proxy that takes the connection and says nothing.
func Through(via *url.URL, dial Dialer, within time.Duration) Dialer {
	port := via.Port()
	if port == "" {
		port = "1080" // RFC 1928, section 3
	}
	var auth *proxy.Auth
	if user := via.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if within > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, within)
			defer cancel()
		}
		var conn net.Conn // what comes back hides that it can be closed by half
		socks, err := proxy.SOCKS5("tcp", net.JoinHostPort(via.Hostname(), port), auth, Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			conn, err = dial(ctx, network, address)
			return conn, err
		}))
		if err != nil {
			return nil, err
		}
		_, err = socks.(proxy.ContextDialer).DialContext(ctx, network, address) //nolint:forcetypeassert // it is documented to be one
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}
