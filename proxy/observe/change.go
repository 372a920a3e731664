package observe

import (
	"log/slog"
	"slices"
	"time"
)

// ChangeKind is what a change of state is about. The zero value is no change of state.
type ChangeKind string

// The kinds of changes of state. A new one needs no other place: record it with Changed.
const (
	ChangeBreaker     ChangeKind = "breaker"      // a circuit breaker opened, closed, or lets a probe through
	ChangeRefusal     ChangeKind = "refusal"      // a refusal is answered from memory, or no longer
	ChangeLimit       ChangeKind = "limit"        // a rate limit was learned, changed or forgotten
	ChangeConcurrency ChangeKind = "concurrency"  // so was a limit on calls in flight
	ChangeBudget      ChangeKind = "retry_budget" // the retry budget is spent, or there is some again
	ChangeStore       ChangeKind = "store"        // the idempotency store is lost or full, or back
	ChangeQuota       ChangeKind = "shared_quota" // limiters share a quota, or no longer
	ChangeFleet       ChangeKind = "fleet"        // the fleet's server is lost or back
	ChangeProtocol    ChangeKind = "protocol"     // an upstream is spoken to in another version of HTTP
)

// Changed records a change of state: of which kind, of what (a subject tells changes of one kind
// apart, and is no more than that), and the fields that the log shows. The level is Warn where
// an operator may have to act, Info where it is good to know, and Debug for what repeats while
// a known trouble lasts.
func Changed(to Recorder, kind ChangeKind, subject string, level slog.Level, message string, fields ...slog.Attr) {
	to.Notice(Notice{Level: level, Message: message, Fields: fields, Kind: kind, Subject: subject, Time: time.Now()})
}

// with returns n with the fields that the log adds to a change of state.
func (n Notice) with(leftOut int) Notice {
	n.Fields = append(slices.Clone(n.Fields), slog.String("change", string(n.Kind)))
	if leftOut > 0 {
		n.Fields = append(n.Fields, slog.Int("left_out", leftOut))
	}
	return n
}
