package file

import (
	"bytes"
	"encoding/binary"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
)

// Whose the records are, and which of them may make room, is in two more buckets. Files
// of versions that know of no owners are without them, and such versions leave them as
// they are: see index.
var (
	ownersBucket = []byte("owners") // Key: owned
	sharesBucket = []byte("shares") // in order of owner, class and time: what of an owner's makes room is first
)

// class is what a record is worth.
type class byte

// The classes, in the order in which an owner's records make room.
const (
	classCompute class = iota // a compute's answer
	classCreate               // a create's answer
	classSpent                // a create whose answer made room
	classLost                 // a create that runs or may have been done: it never makes room
)

// owned is an Owner and a class.
const ownedLength = len(claims.Owner{}) + 1

func ownerEntry(r record.Record, class class) []byte { return append(r.Call.Owner[:], byte(class)) }

// placeOf is a record's key in sharesBucket.
func placeOf(r record.Record, owned []byte) []byte {
	place := make([]byte, 0, ownedLength+8+len(claims.Key{}))
	place = binary.BigEndian.AppendUint64(append(place, owned...), uint64(r.At.UnixNano()))
	return append(place, r.Call.Key[:]...)
}

// fits reports whether a record can be of a class.
func fits(r record.Record, c class) bool {
	switch {
	case r.State != claims.Done:
		return c == classLost || c == classSpent
	case r.Call.Create:
		return c == classCreate
	}
	return c == classCompute
}

// class is that of a record of which nothing more is known.
func classOf(r record.Record) class {
	switch {
	case r.State != claims.Done:
		return classLost
	case r.Call.Create:
		return classCreate
	}
	return classCompute
}

// takes is what a record of a class counts for against Config.Bytes.
func takes(r record.Record, c class) int64 {
	if c == classLost || c == classSpent {
		return quota.Marker
	}
	return r.Cost()
}

// entered is a line of a transaction's account: what was added, or taken away.
type entered struct {
	owner claims.Owner
	class class
	bytes int64
}

// account keeps it, until the transaction fails.
func (tx *fileTx) account(e entered) {
	tx.journal = append(tx.journal, e)
	tx.f.account(e)
}

// undo takes all back that a transaction changed in the account.
func (tx *fileTx) undo() {
	for _, e := range tx.journal {
		e.bytes = -e.bytes
		tx.f.account(e)
	}
}

func (f *Store) account(e entered) {
	f.writer.used += e.bytes
	switch e.class {
	case classCompute, classCreate:
		f.writer.answers.Grow(e.owner, e.bytes)
	case classSpent:
		f.writer.spent.Grow(e.owner, e.bytes)
	case classLost:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.lost.Add(e.owner, e.bytes/quota.Marker)
	}
}

// enter notes whose a record is, and in which class.
func (tx *fileTx) enter(r record.Record, c class) error {
	tx.account(entered{r.Call.Owner, c, takes(r, c)})
	owned := ownerEntry(r, c)
	if err := tx.Bucket(ownersBucket).Put(r.Call.Key[:], owned); err != nil {
		return err
	}
	return tx.Bucket(sharesBucket).Put(placeOf(r, owned), []byte{0})
}

// leave takes a record out.
func (tx *fileTx) leave(r record.Record) error {
	owned := bytes.Clone(tx.Bucket(ownersBucket).Get(r.Call.Key[:]))
	if len(owned) != ownedLength {
		return boltcheck.DamageError("whose a record is, is missing")
	}
	c := class(owned[ownedLength-1])
	tx.account(entered{claims.Owner(owned), c, -takes(r, c)})
	if err := tx.Bucket(ownersBucket).Delete(r.Call.Key[:]); err != nil {
		return err
	}
	return tx.Bucket(sharesBucket).Delete(placeOf(r, owned))
}

// oldest returns the key of an owner's record that makes room first, from a class on.
func (tx *fileTx) oldest(owner claims.Owner, from class) (claims.Key, error) {
	place, _ := tx.Bucket(sharesBucket).Cursor().Seek(append(owner[:], byte(from)))
	if len(place) != ownedLength+8+len(claims.Key{}) || !bytes.HasPrefix(place, owner[:]) {
		return claims.Key{}, boltcheck.DamageError("a record is missing from its owner's")
	}
	return claims.Key(place[ownedLength+8:]), nil
}

// evict makes room until all fit: the owner that has most makes it. Of an answer to a
// create is left that there was one, while there is room for that beside the markers.
func (tx *fileTx) evict() error {
	w := &tx.f.writer
	for w.used > tx.f.limits.Bytes && w.answers.Used() > 0 {
		if err := tx.spend(w.answers.Largest().Owner); err != nil {
			return err
		}
	}
	for w.spent.Used() > 0 && w.spent.Used() > tx.f.markersLeft() {
		key, err := tx.oldest(w.spent.Largest().Owner, classSpent)
		if err != nil {
			return err
		}
		if err := tx.remove(key); err != nil {
			return err
		}
	}
	return nil
}

// spend makes room of an owner's answer.
func (tx *fileTx) spend(owner claims.Owner) error {
	key, err := tx.oldest(owner, classCompute)
	if err != nil {
		return err
	}
	r, _, err := tx.find(key)
	if err != nil {
		return err
	}
	if !r.Call.Create {
		return tx.remove(key)
	}
	r.Call.Owner, r.State, r.Header, r.Body = owner, claims.Unknown, nil, nil
	return tx.put(r, r.Encode(), classSpent)
}

func (f *Store) markersLeft() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost.Left()
}
