package server

import "errors"

// Reason says in one word why a server cannot be used. There are few, so that it can label a
// metric. The zero value is no reason.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable" // no connection
	Slow        Reason = "slow"        // no reply before the deadline
	TLS         Reason = "tls"         // certificates do not fit, or one side speaks no TLS
	Password    Reason = "password"    // wrong, or none where one is wanted
	Permission  Reason = "permission"  // an ACL rule does not allow a command or a key
	Version     Reason = "version"     // older than Redis 6
	ReadOnly    Reason = "readonly"    // a replica
	Full        Reason = "full"        // maxmemory is reached
	Disk        Reason = "disk"        // writes are refused as long as they cannot be saved
	Loading     Reason = "loading"     // it started and reads its data
	Cluster     Reason = "cluster"     // slots are without a node, or it is a cluster's node and not used as one
	Moving      Reason = "moving"      // slots move between nodes
	Foreign     Reason = "foreign"     // a key of ours holds what is not ours
	Busy        Reason = "busy"        // a script of somebody runs too long
	Replicas    Reason = "replicas"    // fewer replicas than min-replicas-to-write
	Clients     Reason = "clients"     // maxclients is reached
	Database    Reason = "database"    // no such database
	Canceled    Reason = "canceled"    // the caller gave up, or the client is closed
	Other       Reason = "other"       // anything else
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{
		Unreachable, Slow, TLS, Password, Permission, Version, ReadOnly, Full, Disk, Loading, Cluster, Moving, Foreign, Busy, Replicas,
		Clients, Database, Canceled, Other,
	}
}

// advice is what is wrong, and what to do about it.
var advice = map[Reason]string{
	Unreachable: "cannot be reached: check that it runs, its host and port, and the network policy",
	Slow:        "does not answer in time: check its load, its slow log and the network",
	TLS:         "does not agree on TLS: check rediss:// against its port, and the options ca, server_name, cert and key of the URL",
	Password:    "rejects user or password: correct them in the URL",
	Permission:  "does not allow its user all that the fleet needs: set for that user the ACL rule " + Access,
	Version:     "is too old: use Redis 6 or later, or Valkey",
	ReadOnly:    "is a read-only replica: name its primary, or its sentinels with redis+sentinel://",
	Full:        "is full: raise its maxmemory, or give the fleet a server of its own",
	Disk:        "refuses writes because it cannot save to its disk: free space there, or set stop-writes-on-bgsave-error no",
	Loading:     "is loading its data: wait until it is done",
	Cluster:     "is a cluster that cannot serve this key: check CLUSTER INFO, and write redis+cluster:// if the URL names one node",
	Moving:      "is moving keys between the nodes of its cluster: wait until it is done",
	Foreign:     "has a key that starts with " + Prefix + " and was not written by Outrigger: delete it, or use another database",
	Busy:        "is busy with a script that does not end: run SCRIPT KILL there",
	Replicas:    "refuses writes because too few of its replicas are connected: check them and min-replicas-to-write",
	Clients:     "has no connection left: raise its maxclients",
	Database:    "does not have the database of the URL: use /0, or raise its setting databases",
	Canceled:    "was not asked to the end: the call was canceled",
	Other:       "gave an answer that the fleet cannot use",
}

// Error says why a server cannot be used. Its text has no password, and neither user nor keys.
type Error struct {
	// Server is the name of the server.
	Server string
	// Reason is why.
	Reason Reason

	detail string
	err    error
}

// Error returns the server's name, what is wrong, what to do, and what was observed.
func (e *Error) Error() string {
	text := e.Server + " " + advice[e.Reason]
	if e.detail != "" {
		text += " (" + e.detail + ")"
	}
	return text
}

// Unwrap returns the error as the client had it, for errors.Is. Its text may repeat what was
// sent: do not print it.
func (e *Error) Unwrap() error { return e.err }

// ReasonOf returns the Reason of an error of Explain or Check, "" for any other and for nil.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
