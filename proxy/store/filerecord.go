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
	return overhead + (&Answer{Header: r.header, Body: r.body}).Size()
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
	return binary.BigEndian.AppendUint32(b, r.call.checksum(b))
}

// checksum is that of a record without its last four bytes.
func (c Call) checksum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(c.Key[:], castagnoli), castagnoli, b)
}

// decode reads what encode returned for the key. The record shares b for its body.
func decode(key Key, b []byte) (record, error) {
	r := record{call: Call{Key: key}}
	if len(b) < fixedRecord+1+4 || b[0] != recordVersion {
		return record{}, errRecord
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if r.call.checksum(b) != sum {
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

// appendHeader appends the number of lines, and of each its name and value.
func appendHeader(b []byte, header http.Header) []byte {
	lines := 0
	for _, values := range header {
		lines += len(values)
	}
	b = binary.AppendUvarint(b, uint64(lines))
	for name, values := range header {
		for _, value := range values {
			b = appendText(appendText(b, name), value)
		}
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// cutHeader reads what appendHeader wrote, and returns what comes after it.
func cutHeader(b []byte) (http.Header, []byte, bool) {
	lines, n := binary.Uvarint(b)
	if n <= 0 || lines > uint64(len(b)) {
		return nil, nil, false
	}
	b = b[n:]
	header := make(http.Header)
	for range lines {
		var name, value string
		var ok bool
		if name, b, ok = cutText(b); !ok {
			return nil, nil, false
		}
		if value, b, ok = cutText(b); !ok {
			return nil, nil, false
		}
		header[name] = append(header[name], value)
	}
	return header, b, true
}

func cutText(b []byte) (string, []byte, bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return "", nil, false
	}
	return string(b[n:][:length]), b[n:][length:], true
}
