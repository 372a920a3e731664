package server

import (
	"context"
	"crypto/tls"
	"net"
)

// handshakeError is that of a TLS handshake. A server that speaks no TLS waits for more bytes,
// so the error may be a timeout, which is told apart from that of a connection by this type.
type handshakeError struct{ err error }

// Error returns the text of the error within.
func (e handshakeError) Error() string { return e.err.Error() }

// Unwrap returns the error within.
func (e handshakeError) Unwrap() error { return e.err }

// dialTLS connects as go-redis's own dialer does. Without a name in the configuration, the
// certificate must be for the host that is connected to.
func dialTLS(config *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		plain, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := config.Clone()
		if own.ServerName == "" {
			own.ServerName, _, _ = net.SplitHostPort(address)
		}
		secured := tls.Client(plain, own)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			return nil, handshakeError{err}
		}
		return secured, nil
	}
}
