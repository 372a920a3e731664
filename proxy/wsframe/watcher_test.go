package wsframe

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// frame makes a frame by the letter of RFC 6455, section 5.2.
func frame(final bool, opcode byte, masked bool, payload []byte) []byte {
	first := opcode
	if final {
		first |= 0x80
	}
	b, second := []byte{first}, byte(0)
	if masked {
		second = 0x80
	}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, second|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, second|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, second|127), uint64(n))
	}
	if !masked {
		return append(b, payload...)
	}
	key := []byte{0xa1, 0x00, 0xff, 0x3c}
	b = append(b, key...)
	for i, c := range payload {
		b = append(b, c^key[i%4])
	}
	return b
}

// conversation is every kind of frame; the last of them is a Close.
func conversation(masked bool) [][]byte {
	long := bytes.Repeat([]byte("\x88\x02\x03\xe8"), 20_000) // looks like Close frames
	return [][]byte{
		frame(true, 1, masked, []byte("hello")),
		frame(true, 1, masked, nil),
		frame(false, 2, masked, long[:125]),
		frame(true, 9, masked, long[:125]), // a ping between fragments
		frame(false, 0, masked, long[:126]),
		frame(true, 10, masked, nil),
		frame(true, 0, masked, long[:0xffff]),
		frame(true, 2, masked, long),
		frame(true, 0x40|1, masked, []byte("compressed")), // RSV1: permessage-deflate
		frame(true, 8, masked, append([]byte{0x03, 0xf3}, "internal error"...)),
	}
}

func TestFramesEndWhereTheyEnd(t *testing.T) {
	for _, masked := range []bool{false, true} {
		frames := conversation(masked)
		all := slices.Concat(frames...)
		for _, size := range []int{1, 2, 3, 7, 4096, len(all)} {
			w := Watcher{Masked: masked}
			var ends []int
			at := 0
			for part := range slices.Chunk(all, size) {
				for len(part) > 0 {
					n := w.Next(part)
					at += n
					if n < len(part) && !w.Between() {
						t.Fatalf("masked %t, reads of %d: stopped at %d, inside a frame", masked, size, at)
					}
					if w.Between() {
						ends = append(ends, at)
					}
					part = part[n:]
				}
			}
			var want []int
			sum := 0
			for _, f := range frames {
				sum += len(f)
				want = append(want, sum)
			}
			if !slices.Equal(ends, want) || w.Lost() || w.Closed() != 1011 {
				t.Errorf("masked %t, reads of %d: ends at %v, want %v; lost %t, code %d", masked, size, ends, want, w.Lost(), w.Closed())
			}
		}
	}
}

func TestACloseIsReadWhole(t *testing.T) {
	tests := map[string]struct {
		bytes []byte
		code  int
	}{
		"with a code":           {frame(true, 8, false, []byte{0x03, 0xe8}), 1000},
		"with a reason":         {frame(true, 8, false, append([]byte{0x0f, 0xa0}, "bye"...)), 4000},
		"without a code":        {frame(true, 8, false, nil), NoStatus},
		"with half a code":      {frame(true, 8, false, []byte{3}), NoStatus},
		"as Outrigger's":        {Close(ServiceRestart, "restart"), ServiceRestart},
		"with a long reason":    {Close(1012, string(make([]byte, 500))), 1012},
		"not yet":               {frame(true, 8, false, []byte{0x03, 0xe8})[:3], 0},
		"not at all":            {frame(true, 9, false, []byte{0x03, 0xe8}), 0},
		"with a ping before":    {append(frame(true, 9, false, nil), frame(true, 8, false, []byte{0x03, 0xe9})...), 1001},
		"inside a long message": {append(frame(false, 1, false, []byte("a")), frame(true, 8, false, []byte{0x03, 0xe9})...), 1001},
	}
	for name, tt := range tests {
		var w Watcher
		_, _ = w.Write(tt.bytes)
		if w.Closed() != tt.code || w.Lost() {
			t.Errorf("%s: code %d, want %d; lost %t", name, w.Closed(), tt.code, w.Lost())
		}
	}
}

func TestWhatIsNoFrameIsNotFollowed(t *testing.T) {
	tests := map[string]struct {
		bytes  []byte
		masked bool
	}{
		"text":                       {[]byte("hello\n"), false},
		"a mask from a server":       {frame(true, 1, true, []byte("a")), false},
		"no mask from a client":      {append(frame(true, 1, false, []byte("a")), 1, 2, 3), true},
		"an unknown opcode":          {frame(true, 3, false, nil), false},
		"an unknown control opcode":  {frame(true, 11, false, nil), false},
		"a control frame in parts":   {frame(false, 9, false, nil), false},
		"a long control frame":       {frame(true, 9, false, make([]byte, 126)), false},
		"a length beyond 63 bits":    {[]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, false},
		"something behind the Close": {append(Close(1000, ""), frame(true, 1, false, nil)...), false},
	}
	for name, tt := range tests {
		w := Watcher{Masked: tt.masked}
		_, _ = w.Write(tt.bytes)
		if !w.Lost() || w.Between() {
			t.Errorf("%s: lost %t, between frames %t", name, w.Lost(), w.Between())
		}
		if n := w.Next([]byte("more")); n != 4 || w.Between() {
			t.Errorf("%s: then it read %d", name, n)
		}
	}
}

// Whatever comes, in whatever pieces: no panic, and the same result.
func FuzzFrames(f *testing.F) {
	for _, masked := range []bool{false, true} {
		for _, b := range conversation(masked) {
			f.Add(b[:min(len(b), 300)], masked, 3)
		}
	}
	f.Add([]byte("hello\n"), false, 1)
	f.Fuzz(func(t *testing.T, b []byte, masked bool, size int) {
		if size < 1 || size > 1<<16 {
			size = 1
		}
		whole, split := Watcher{Masked: masked}, Watcher{Masked: masked}
		_, _ = whole.Write(b)
		for part := range slices.Chunk(b, size) {
			_, _ = split.Write(part)
		}
		if whole.Closed() != split.Closed() || whole.Lost() != split.Lost() || whole.Between() != split.Between() {
			t.Errorf("whole %+v, split %+v", whole, split)
		}
	})
}
