package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"time"
)

// record is what the file has under a key.
type record struct {
	state  State // Running, Done or Unknown
	call   Call
	since  time.Time
	at     time.Time // when the TTL began: the claim of a call that runs, else its end
	status int
	header http.Header
	body   []byte
}

// recordVersion is the first byte of a record.
const recordVersion = 1

// fixedRecord is the length of a record without header, body and checksum.
const fixedRecord = 1 + 1 + 1 + 32 + 8 + 8 + 4

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("a record is damaged")

// cost is what the record counts for against Config.Bytes.
func (r record) cost() int64 {
	return Overhead + (&Answer{Header: r.header, Body: r.body}).Size()
}

// claim is what Begin returns for the record. It shares the record's body.
func (r record) claim(call Call) Claim {
	switch {
	case r.call.Print != call.Print:
		return Claim{State: Mismatch}
	case r.state == Done:
		answer := &Answer{Status: r.status, Header: r.header, Body: r.body, Stored: r.at}
		return Claim{State: Done, Answer: answer, Since: r.since}
	}
	return Claim{State: Unknown, Since: r.since, Status: r.status}
}

// encode returns the record's bytes: fixed fields, the header as counted texts, the
// body, and a checksum over the key and all before it.
func (r record) encode() []byte {
	b := make([]byte, 0, fixedRecord+int(r.cost()))
	b = append(b, recordVersion, byte(r.state), 0)
	if r.call.Create {
		b[2] = 1
	}
	b = append(b, r.call.Print[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.since.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.at.UnixNano()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.status))
	b = appendHeader(b, r.header)
	b = append(b, r.body...)
	return binary.BigEndian.AppendUint32(b, checksum(r.call.Key, b))
}

// checksum is that of a key's record without its last four bytes.
func checksum(key Key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(key[:], castagnoli), castagnoli, b)
}

// decode reads what encode returned for the key. The record shares b for its body.
func decode(key Key, b []byte) (record, error) {
	r := record{call: Call{Key: key}}
	if len(b) < fixedRecord+1+4 || b[0] != recordVersion {
		return record{}, errRecord
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if checksum(r.call.Key, b) != sum {
		return record{}, errRecord
	}
	r.state, r.call.Create = State(b[1]), b[2] == 1
	copy(r.call.Print[:], b[3:])
	b = b[3+32:]
	r.since = time.Unix(0, int64(binary.BigEndian.Uint64(b)))
	r.at = time.Unix(0, int64(binary.BigEndian.Uint64(b[8:])))
	r.status = int(binary.BigEndian.Uint32(b[16:]))
	var ok bool
	if r.header, b, ok = cutHeader(b[20:]); !ok {
		return record{}, errRecord
	}
	r.body = b
	return r, nil
}
