package values

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrSize is returned for a text that is not a size.
var ErrSize = errors.New("not a size: want a whole number of bytes, or one with B, KiB, MiB, GiB, TiB, KB, MB, GB or TB")

// Bytes is a size or a count of bytes. Its text form is a whole number with an
// optional unit: binary (KiB, MiB, GiB, TiB) or decimal (KB, MB, GB, TB).
type Bytes int64

// units are tried in this order: a suffix that ends in another one comes first.
var units = []struct {
	suffix string
	size   int64
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// UnmarshalText reads "1MiB", "64 MB" or "4096". Anything else, a negative size
// or one over 2^63-1 is an error that wraps ErrSize.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, size := strings.TrimSpace(string(text)), int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/size {
		return fmt.Errorf("%q: %w", text, ErrSize)
	}
	*b = Bytes(int64(n) * size)
	return nil
}

// MarshalText writes the form that UnmarshalText reads.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String returns the size in the largest binary unit that divides it.
func (b Bytes) String() string {
	for _, u := range units[:4] {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
