package values

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestBytesReadsSizes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0":                   0,
		"0B":                  0,
		"1":                   1,
		"4096":                4096,
		"1B":                  1,
		"1KiB":                1024,
		"512KiB":              512 << 10,
		"1MiB":                1 << 20,
		"10GiB":               10 << 30,
		"3TiB":                3 << 40,
		"1KB":                 1000,
		"64MB":                64e6,
		"2GB":                 2e9,
		"5TB":                 5e12,
		"64 MB":               64e6,
		" 7KiB ":              7 << 10,
		"007":                 7,
		"9223372036854775807": 1<<63 - 1,
		"8388607TiB":          8388607 << 40,
	} {
		t.Run(text, func(t *testing.T) {
			var got Bytes
			if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
		})
	}
}

func TestBytesRefusesWhatIsNoSize(t *testing.T) {
	for _, text := range []string{
		"", " ", "B", "MiB", "-1", "-1MiB", "+1", "1.5GiB", "1e3", "0x10", "1_000", "1M", "1Mi", "1mib", "1PB",
		"1MiBs", "1MiB2", "KiB1", "1KiBKiB", "1 2", "one", "9223372036854775808", "8388608TiB", "99999999999999999999GB", "1\x00",
	} {
		t.Run(text, func(t *testing.T) {
			got := Bytes(42)
			if err := got.UnmarshalText([]byte(text)); !errors.Is(err, ErrSize) || got != 42 {
				t.Errorf("got %d, %v, want 42 untouched and ErrSize", got, err)
			}
		})
	}
}

func TestBytesPrintsTheLargestUnitThatDividesIt(t *testing.T) {
	for want, b := range map[string]Bytes{
		"0":       0,
		"1":       1,
		"1000":    1000,
		"1KiB":    1 << 10,
		"1025":    1025,
		"1536KiB": 1536 << 10,
		"1GiB":    1 << 30,
		"2048TiB": 1 << 51,
		"-1MiB":   -1 << 20,
		"-3":      -3,
	} {
		if got := b.String(); got != want {
			t.Errorf("Bytes(%d) prints %q, want %q", int64(b), got, want)
		}
	}
}

func TestBytesTravelsThroughJSON(t *testing.T) {
	type sizes struct {
		Body Bytes
		By   map[Bytes]int
	}
	in := sizes{64 << 20, map[Bytes]int{1 << 10: 2}}
	text, err := json.Marshal(in)
	if want := `{"Body":"64MiB","By":{"1KiB":2}}`; err != nil || string(text) != want {
		t.Fatalf("got %s, %v, want %s", text, err, want)
	}
	var out sizes
	if err := json.Unmarshal(text, &out); err != nil || out.Body != in.Body || out.By[1<<10] != 2 {
		t.Errorf("read back %+v, %v, want %+v", out, err, in)
	}
}

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"", "0", "1MiB", "64 MB", "-1", "9223372036854775807", "8388608TiB", "1.5GiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second Bytes
		if err := first.UnmarshalText([]byte(text)); err != nil {
			if !errors.Is(err, ErrSize) {
				t.Fatalf("%q: %v is no ErrSize", text, err)
			}
			return
		}
		if first < 0 {
			t.Fatalf("%q is %d, want no negative size", text, first)
		}
		if err := second.UnmarshalText([]byte(first.String())); err != nil || second != first {
			t.Fatalf("%q is %d, prints %s, which reads as %d, %v", text, first, first, second, err)
		}
	})
}
