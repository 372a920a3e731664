package file

import (
	"bytes"
	"encoding/binary"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
)

// Two more buckets hold the owner of each record, and the order in which records are
// evicted. Files of versions without owners lack them, and such versions ignore them: see
// index.
var (
	ownersBucket = []byte("owners") // Key: owner entry
	sharesBucket = []byte("shares") // in order of owner, class and time, which is the order of eviction
)

// class says whether and when a record may be evicted.
type class byte

// The classes, in the order in which an owner's records are evicted.
const (
	classCompute class = iota // a compute's answer
	classCreate               // a create's answer
	classEvicted              // a create whose answer was evicted
	classUnknown              // a create that runs or whose outcome is unknown: never evicted
)

// ownedLength is the length of an owner entry: an Owner and a class.
const ownedLength = len(claims.Owner{}) + 1

func ownerEntry(r record.Record, class class) []byte { return append(r.Call.Owner[:], byte(class)) }

// shareKey is a record's key in sharesBucket.
func shareKey(r record.Record, owned []byte) []byte {
	place := make([]byte, 0, ownedLength+8+len(claims.Key{}))
	place = binary.BigEndian.AppendUint64(append(place, owned...), uint64(r.At.UnixNano()))
	return append(place, r.Call.Key[:]...)
}

// fits reports whether a record can be of a class.
func fits(r record.Record, c class) bool {
	switch {
	case r.State != claims.Done:
		return c == classUnknown || c == classEvicted
	case r.Call.Create:
		return c == classCreate
	}
	return c == classCompute
}

// classOf is the class of a record of which nothing more is known.
func classOf(r record.Record) class {
	switch {
	case r.State != claims.Done:
		return classUnknown
	case r.Call.Create:
		return classCreate
	}
	return classCompute
}

// takes is what a record of a class counts for against Limits.Bytes.
func takes(r record.Record, c class) int64 {
	if c == classUnknown || c == classEvicted {
		return quota.Marker
	}
	return r.Cost()
}

// change is a line in the journal of a transaction: what was added to the account, or taken
// out.
type change struct {
	owner claims.Owner
	class class
	bytes int64
}

// account applies a change, which undo takes back.
func (tx *fileTx) account(e change) {
	tx.journal = append(tx.journal, e)
	tx.f.account(e)
}

// undo takes back what a failed transaction changed in the account.
func (tx *fileTx) undo() {
	for _, e := range tx.journal {
		e.bytes = -e.bytes
		tx.f.account(e)
	}
}

func (f *Store) account(e change) {
	f.writer.used += e.bytes
	switch e.class {
	case classCompute, classCreate:
		f.writer.answers.Grow(e.owner, e.bytes)
	case classEvicted:
		f.writer.evicted.Grow(e.owner, e.bytes)
	case classUnknown:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.markers.Add(e.owner, e.bytes/quota.Marker)
	}
}

// addOwner writes the owner and the class of a record.
func (tx *fileTx) addOwner(r record.Record, c class) error {
	tx.account(change{r.Call.Owner, c, takes(r, c)})
	owned := ownerEntry(r, c)
	if err := tx.Bucket(ownersBucket).Put(r.Call.Key[:], owned); err != nil {
		return err
	}
	return tx.Bucket(sharesBucket).Put(shareKey(r, owned), []byte{0})
}

// removeOwner deletes the owner and the class of a record.
func (tx *fileTx) removeOwner(r record.Record) error {
	owned := bytes.Clone(tx.Bucket(ownersBucket).Get(r.Call.Key[:]))
	if len(owned) != ownedLength {
		return boltcheck.DamageError("the owner of a record is missing")
	}
	c := class(owned[ownedLength-1])
	tx.account(change{claims.Owner(owned), c, -takes(r, c)})
	if err := tx.Bucket(ownersBucket).Delete(r.Call.Key[:]); err != nil {
		return err
	}
	return tx.Bucket(sharesBucket).Delete(shareKey(r, owned))
}
