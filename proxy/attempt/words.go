package attempt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/upstream"
)

// Describe names a transport failure in words without addresses or URLs.
func Describe(a *Attempt) string {
	switch {
	case errors.Is(a.Err, apierror.ErrAttemptTimeout), a.Failure == classify.Timeout:
		return "timeout"
	case a.Failure == classify.Unreachable, a.Failure == classify.Starved:
		return ConnectFailure(a.Err)
	case a.Failure == classify.Refused:
		return "the server refused the stream"
	case a.Failure == classify.Canceled:
		return "Outrigger is shutting down"
	case a.Failure == classify.TooLarge:
		return "the answer's headers are too large"
	case a.Failure == classify.Malformed:
		return "the answer is not valid HTTP: " + malformation(a.Err)
	}
	return BrokenConnection(a.Err)
}

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
	case isTimeout(err):
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

// isTimeout reports whether err says that something took too long.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// CodeInterrupted is the code of the error events that Outrigger adds to a stream.
const CodeInterrupted = "stream_interrupted"

// BrokenOff tells a caller by what the upstream broke its stream off.
func BrokenOff(mask func(string) string, w *eventstream.Watcher) string {
	failure, _ := w.Error()
	text := string(failure.Data)
	if reason := w.Aborted(); reason != "" { // the event's other members are the answer's
		text = "its answer ended with the reason " + strconv.Quote(reason)
	}
	return "The upstream broke the stream off with an error: " + mask(text)
}

// CutReason tells why an answer broke off with err, in an attempt with context ctx.
func CutReason(ctx context.Context, err error, unreadable bool) string {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, apierror.ErrDraining):
		return call.ReasonShutdown
	case errors.Is(cause, apierror.ErrStreamIdle):
		return call.ReasonSilence
	case unreadable, malformation(err) != "":
		return call.ReasonParse
	}
	return LossReason(err)
}

// LossReason tells how a connection was lost.
func LossReason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), upstream.HTTP2Code(err) != "":
		return call.ReasonReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return call.ReasonEarlyEnd
	}
	return call.ReasonLost
}
