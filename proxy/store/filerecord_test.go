package store

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// Whatever is read as a record is refused, or is one that is written the same way.
func FuzzRecord(f *testing.F) {
	key := Key{1, 2, 3}
	for _, r := range []record{
		{state: Running, call: Call{Key: key, Create: true}, since: time.Unix(1, 2), at: time.Unix(1, 2)},
		{state: Done, call: Call{Key: key}, since: time.Unix(3, 0), at: time.Unix(4, 0), status: 201, header: http.Header{"Content-Type": {"application/json"}, "X-Two": {"a", "b"}, "lower": {""}}, body: []byte("{}\x00\xff\n")},
		{state: Unknown, call: Call{Key: key, Print: Fingerprint{9}, Create: true}, status: 504},
	} {
		f.Add(r.encode())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // else hardly any would have the right checksum
			sum := checksum(key, b[:len(b)-4])
			b = binary.BigEndian.AppendUint32(bytes.Clone(b[:len(b)-4]), sum)
		}
		first, err := decode(key, b)
		if err != nil {
			return
		}
		second, err := decode(key, first.encode())
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v was written and read as %+v, %v", first, second, err)
		}
	})
}
