package record

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"reflect"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
)

// Bytes that are read as a record are refused, or written again as the same record.
func FuzzRecord(f *testing.F) {
	key := claims.Key{1, 2, 3}
	for _, r := range []Record{
		{State: claims.Running, Call: claims.Call{Key: key, Create: true}, Since: time.Unix(1, 2), At: time.Unix(1, 2)},
		{State: claims.Done, Call: claims.Call{Key: key}, Since: time.Unix(3, 0), At: time.Unix(4, 0), Status: 201, Header: http.Header{"Content-Type": {"application/json"}, "X-Two": {"a", "b"}, "lower": {""}}, Body: []byte("{}\x00\xff\n")},
		{State: claims.Unknown, Call: claims.Call{Key: key, Print: claims.Fingerprint{9}, Create: true}, Status: 504},
	} {
		f.Add(r.Encode())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // else hardly any would have the right checksum
			sum := checksum(key, b[:len(b)-4])
			b = binary.BigEndian.AppendUint32(bytes.Clone(b[:len(b)-4]), sum)
		}
		first, err := Decode(key, b)
		if err != nil {
			return
		}
		second, err := Decode(key, first.Encode())
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v was written and read as %+v, %v", first, second, err)
		}
	})
}
