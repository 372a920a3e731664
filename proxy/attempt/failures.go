package attempt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"outrigger/internal/resources"
	"outrigger/proxy/apierror"
)

// ConnectFailure names why no connection was had.
func ConnectFailure(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	switch {
	case resources.Shortage(err) != "":
		return "this machine has nothing left to connect with"
	case errors.As(err, &dns):
		return "the name was not found"
	case errors.As(err, &certificate), errors.As(err, &unknown):
		return "the server's certificate is not valid"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case isOfProxy(err):
		return "the proxy on the way out made no connection"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case IsTimeout(err):
		return "no connection in time"
	}
	return "no connection"
}

// BrokenConnection names how an answer was lost.
func BrokenConnection(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer was cut short"
	case errors.Is(err, io.EOF):
		return "connection closed without an answer"
	case errors.Is(err, ErrEmpty):
		return "its body was empty"
	case errors.Is(err, ErrPage):
		return "a web page came in its place"
	case errors.Is(err, apierror.ErrReplayed):
		return "the server asked to send the request again"
	}
	return "connection lost"
}

// isOfProxy reports whether the proxy that the environment names failed, or what is behind it.
func isOfProxy(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "socks connect" || op.Op == "proxyconnect")
}

func IsTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
