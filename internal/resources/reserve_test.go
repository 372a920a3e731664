package resources

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// raw has a descriptor of that number, or fails.
type raw struct {
	fd  uintptr
	err error
}

func (r raw) Control(f func(uintptr)) error {
	if r.err == nil {
		f(r.fd)
	}
	return r.err
}

func (raw) Read(func(uintptr) bool) error  { return nil }
func (raw) Write(func(uintptr) bool) error { return nil }

// have has the process have so many descriptors until the test ends.
func have(t *testing.T, n int) {
	t.Helper()
	before := descriptors
	descriptors = func() int { return n }
	t.Cleanup(func() { descriptors = before })
}

func TestASixteenthOfTheDescriptorsIsReserved(t *testing.T) {
	for descriptors, want := range map[int]int{0: 8, 32: 8, 128: 8, 200: 12, 1024: 64, 2048: 128, 1 << 20: 128} {
		if got := Reserve(descriptors); got != want {
			t.Errorf("of %d: %d, want %d", descriptors, got, want)
		}
	}
}

func TestTheLastDescriptorsAreKept(t *testing.T) {
	closed := errors.New("closed")
	for name, tt := range map[string]struct {
		descriptors int
		conn        raw
		want        error
	}{
		"the first":            {1024, raw{fd: 3}, nil},
		"the last that is not": {1024, raw{fd: 959}, nil},
		"the first that is":    {1024, raw{fd: 960}, syscall.EMFILE},
		"the last":             {1024, raw{fd: 1023}, syscall.EMFILE},
		"no limit is known":    {0, raw{fd: 1 << 20}, nil},
		"it is closed":         {1024, raw{err: closed}, closed},
	} {
		have(t, tt.descriptors)
		if err := KeepReserve(tt.conn); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	have(t, 1024)
	if err := KeepReserve(raw{fd: 1000}); Shortage(err) == "" {
		t.Errorf("%v is not taken for a shortage", err)
	}
}

func TestDescriptorsAreScarceWhenTheLowestThatIsFreeIsReserved(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	lowest := int(f.Fd())
	_ = f.Close()
	have(t, lowest+1000)
	if Scarce() {
		t.Error("scarce with many free")
	}
	have(t, lowest+leastReserve-1)
	if !Scarce() {
		t.Error("not scarce with fewer free than are reserved")
	}
}
