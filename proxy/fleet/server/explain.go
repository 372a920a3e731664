package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"outrigger/internal/clip"

	goredis "github.com/redis/go-redis/v9"
)

// Explain returns err, which a client of the server called name returned, as an *Error. It
// returns nil for nil, and err itself if it is an *Error already.
func Explain(name string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	e := &Error{Server: name, err: err}
	if errors.Is(err, goredis.Nil) { // of the sentinels: scripts of the fleet do not return nil
		e.Reason, e.detail = Unreachable, "the sentinels know no primary under the name in the URL"
	} else if reply, ok := errors.AsType[goredis.Error](err); ok {
		e.Reason, e.detail = ofReply(reply.Error())
	} else {
		e.Reason, e.detail = ofFailure(err)
	}
	return e
}

// codes are the words with which replies begin, and what they mean.
var codes = map[string]Reason{
	"WRONGPASS": Password, "NOAUTH": Password, "NOPERM": Permission, "READONLY": ReadOnly, "MASTERDOWN": ReadOnly, "OOM": Full,
	"MISCONF": Disk, "LOADING": Loading, "CLUSTERDOWN": Cluster, "MOVED": Cluster, "ASK": Moving, "TRYAGAIN": Moving, "CROSSSLOT": Cluster,
	"WRONGTYPE": Foreign, "BUSY": Busy, "NOREPLICAS": Replicas,
}

// phrases are replies without such a word, by a part of their text.
var phrases = []struct {
	part   string
	reason Reason
}{
	{"invalid password", Password},                         // before Redis 6
	{"without any password configured", Password},          // AUTH where there is none
	{"wrong number of arguments for 'auth'", Version},      // no users before Redis 6
	{"Client sent AUTH, but no password is set", Password}, // before Redis 6
	{"ACL failure in script", Permission},                  // Redis 7
	{"The user executing the script", Permission},          // Redis 6
	{"max number of clients", Clients},
	{"DB index is out of range", Database},
	{"invalid DB index", Database},
	{"SELECT is not allowed in cluster mode", Cluster},
	{noCluster, Cluster},
}

// noCluster is what a server says that is asked for its cluster and has none.
const noCluster = "cluster support disabled"

// ofReply reads an error that the server replied. Redis 6 puts the text of a script's own
// call behind "ERR Error running script ... -", so the first word that is a code counts.
func ofReply(text string) (Reason, string) {
	for _, p := range phrases {
		if strings.Contains(text, p.part) {
			return p.reason, detail(text, p.reason)
		}
	}
	for word := range strings.FieldsSeq(text) {
		if reason, ok := codes[strings.TrimLeft(word, "-")]; ok {
			return reason, detail(text, reason)
		}
	}
	return Other, detail(text, Other)
}

var (
	deniedCommand = regexp.MustCompile(`'([a-z|-]{1,40})' command|run the '([a-z|-]{1,40})'`)
	deniedKey     = regexp.MustCompile(`(?i)\bkeys?\b`)
)

// detail returns what a reply tells beside its reason. It leaves out what was sent, which some
// servers repeat: it may be a password.
func detail(text string, reason Reason) string {
	switch reason {
	case Permission:
		if match := deniedCommand.FindStringSubmatch(text); match != nil {
			return "denied: the command " + match[1] + match[2]
		}
		if deniedKey.MatchString(text) {
			return "denied: a key"
		}
		if strings.Contains(text, "script") { // Redis 6 and 7.0 do not tell which
			return "denied: a command that the script runs"
		}
		return ""
	case Cluster:
		if strings.Contains(text, noCluster) {
			return "it is no cluster: write redis:// for it"
		}
		return ""
	case Other:
		text, _, _ = strings.Cut(text, "with args beginning with")
		return "it says: " + printable(text)
	default:
		return ""
	}
}

// detailMax bounds what an error repeats of a text that others wrote, in bytes.
const detailMax = 200

func printable(text string) string { return clip.Text(strings.TrimSpace(text), detailMax) }

// ofFailure reads an error without a reply.
func ofFailure(err error) (Reason, string) {
	var dns *net.DNSError
	var alert tls.AlertError // TLS 1.3 rejects a client certificate after the handshake
	_, inHandshake := errors.AsType[handshakeError](err)
	switch operation, _ := errors.AsType[*net.OpError](err); {
	case errors.Is(err, context.Canceled), errors.Is(err, goredis.ErrClosed):
		return Canceled, ""
	case inHandshake && isTimeout(err):
		return Slow, "the TLS handshake did not end: does that port speak TLS?"
	case inHandshake, errors.As(err, &alert):
		return TLS, printable(err.Error())
	case errors.As(err, &dns), operation != nil && operation.Op == "dial":
		return Unreachable, printable(err.Error())
	case isTimeout(err):
		return Slow, ""
	case operation != nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Unreachable, "it closed the connection: it may want TLS, or a client certificate"
	}
	// The error's own text may repeat what was received.
	return Other, "its answer cannot be read: check the port, and write rediss:// if it wants TLS"
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, goredis.ErrPoolTimeout)
}
