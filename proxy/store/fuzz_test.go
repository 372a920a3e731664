package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"reflect"
	"testing"
	"time"
)

// Whatever is read as a record is refused, or is one that is written the same way.
func FuzzRecord(f *testing.F) {
	key := Key{1, 2, 3}
	for _, r := range []record{
		{state: Running, call: Call{Key: key, Create: true}, since: time.Unix(1, 2), at: time.Unix(1, 2)},
		{state: Done, call: Call{Key: key}, since: time.Unix(3, 0), at: time.Unix(4, 0), status: 201, header: created().Header, body: created().Body},
		{state: Unknown, call: Call{Key: key, Print: Fingerprint{9}, Create: true}, status: 504},
	} {
		f.Add(r.encode())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // else hardly any would have the right checksum
			sum := (Call{Key: key}).checksum(b[:len(b)-4])
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

// Whatever the bytes of a file, to open it does not panic, and does not change it
// unless it is whole.
func FuzzFile(f *testing.F) {
	path := newPath(f)
	s, err := openFile(at(path, roomy()), unbounded{})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{})
	f.Add(os.Getpagesize()*2+8, []byte{1, 0, 255, 255, 255, 255, 255, 255})
	f.Add(os.Getpagesize()*3+10, []byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, i int, patch []byte) {
		damaged := bytes.Clone(whole)
		if i >= 0 && i < len(damaged) {
			copy(damaged[i:], patch)
		}
		checkRefusedOrWhole(t, newPath(t), damaged, nil)
	})
}
