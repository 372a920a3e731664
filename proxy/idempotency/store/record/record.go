package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
)

// Record is what a store has under a key.
type Record struct {
	State  claims.State // Running, Done or Unknown
	Call   claims.Call
	Since  time.Time
	At     time.Time // when the TTL began: the claim of a call that runs, else its end
	Status int
	Header http.Header
	Body   []byte
}

// recordVersion is the first byte of a record.
const recordVersion = 1

// fixedRecord is the length, in bytes, of a record without header, body and checksum.
const fixedRecord = 1 + 1 + 1 + 32 + 8 + 8 + 4

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errRecord says that bytes are no record of their key.
var errRecord = errors.New("a record is damaged")

// Cost is what the record counts for against Limits.Bytes, in bytes.
func (r Record) Cost() int64 {
	return quota.Overhead + (&claims.Answer{Header: r.Header, Body: r.Body}).Size()
}

// Claim is what Begin returns for the record. It shares the record's body.
func (r Record) Claim(call claims.Call) claims.Claim {
	switch {
	case r.Call.Print != call.Print:
		return claims.Claim{State: claims.Mismatch}
	case r.State == claims.Done:
		answer := &claims.Answer{Status: r.Status, Header: r.Header, Body: r.Body, Stored: r.At}
		return claims.Claim{State: claims.Done, Answer: answer, Since: r.Since}
	}
	return claims.Claim{State: claims.Unknown, Since: r.Since, Status: r.Status}
}

// Encode returns the record's bytes: fixed fields, the header as texts with their lengths, the
// body, and a checksum over the key and all that.
func (r Record) Encode() []byte {
	b := make([]byte, 0, fixedRecord+int(r.Cost()))
	b = append(b, recordVersion, byte(r.State), 0)
	if r.Call.Create {
		b[2] = 1
	}
	b = append(b, r.Call.Print[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Since.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixNano()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Status))
	b = AppendHeader(b, r.Header)
	b = append(b, r.Body...)
	return binary.BigEndian.AppendUint32(b, checksum(r.Call.Key, b))
}

// checksum is the checksum of a record without its last four bytes.
func checksum(key claims.Key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(key[:], castagnoli), castagnoli, b)
}

// Decode reads what Encode returned for the key. The record shares b for its body. An error
// says that b is damaged.
func Decode(key claims.Key, b []byte) (Record, error) {
	r := Record{Call: claims.Call{Key: key}}
	if len(b) < fixedRecord+1+4 || b[0] != recordVersion {
		return Record{}, errRecord
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if checksum(r.Call.Key, b) != sum {
		return Record{}, errRecord
	}
	r.State, r.Call.Create = claims.State(b[1]), b[2] == 1
	copy(r.Call.Print[:], b[3:])
	b = b[3+32:]
	r.Since = time.Unix(0, int64(binary.BigEndian.Uint64(b)))
	r.At = time.Unix(0, int64(binary.BigEndian.Uint64(b[8:])))
	r.Status = int(binary.BigEndian.Uint32(b[16:]))
	var ok bool
	if r.Header, b, ok = CutHeader(b[20:]); !ok {
		return Record{}, errRecord
	}
	r.Body = b
	return r, nil
}
