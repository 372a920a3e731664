package file

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/test/storetest"

	bolt "go.etcd.io/bbolt"
)

// The format of bbolt's pages, as in package boltcheck.
const (
	pageHeader = 16
	metaLength = 64
)

// specimen returns the bytes of a store, and the state that each call must have in it.
func specimen(t *testing.T) ([]byte, map[claims.Call]claims.State) {
	t.Helper()
	s := openAt(t, newPath(t), storetest.Roomy())
	want := make(map[claims.Call]claims.State)
	for i := range 24 {
		call := storetest.NewCall(i%2 == 0)
		claim := storetest.MustBegin(t, s, call, claims.Claimed)
		want[call] = claims.Done
		answer := &claims.Answer{Status: 200, Header: storetest.Created().Header, Body: bytes.Repeat([]byte{byte(i)}, 700*i)}
		if i%5 == 0 {
			answer.Body = make([]byte, s.Largest()+1)
			want[call] = map[bool]claims.State{true: claims.Unknown, false: claims.Claimed}[call.Create]
		}
		if err := s.Finish(t.Context(), claim, answer); err != nil && !errors.Is(err, claims.ErrTooLarge) {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return whole, want
}

// checkRefusedOrWhole opens a file of these bytes. It must be refused by its name and left
// unchanged, or be a store in which nothing is missing or changed. It reports which: true for
// refused.
func checkRefusedOrWhole(t *testing.T, path string, damaged []byte, want map[claims.Call]claims.State) bool {
	t.Helper()
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, storetest.Roomy(), storetest.Unbounded{})
	if err != nil {
		if !strings.Contains(err.Error(), path) || !errors.Is(err, claims.ErrUnavailable) {
			t.Errorf("%v does not name %s", err, path)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, damaged) {
			t.Error("the file that was refused was changed", err)
		}
		return true
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for call, state := range want {
		if claim, err := s.lookUp(call); err != nil || claim.State != state {
			t.Errorf("opened, and found %v, %v under a key, want %v", claim.State, err, state)
		}
	}
	return false
}

func TestFileWithAChangedByteIsRefusedOrWhole(t *testing.T) {
	whole, want := specimen(t)
	path := newPath(t)
	random := rand.New(rand.NewPCG(1, 2))
	pageSize := os.Getpagesize()
	refused, opened := 0, 0
	every := 12
	if testing.Short() {
		every = 50
	}
	for i := range whole {
		if header := i%pageSize < 80; !header && random.IntN(80*every) != 0 || header && i%every != 0 && i > 2*pageSize {
			continue
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << random.IntN(8)
		if checkRefusedOrWhole(t, path, damaged, want) {
			refused++
		} else {
			opened++
		}
		if t.Failed() {
			t.Fatalf("with byte %d of %d changed", i, len(whole))
		}
	}
	t.Logf("%d files were refused, %d were whole: the change was in unused space", refused, opened)
	if refused < opened/10 {
		t.Error("hardly any file was refused")
	}
}

// damages are done to one page, as disks and lost writes do them. Before is the page at an
// earlier time.
var damages = map[string]func(random *rand.Rand, page, before, other []byte){
	"a bit of its headers": func(random *rand.Rand, page, _, _ []byte) { page[random.IntN(16+16*4)] ^= 1 << random.IntN(8) },
	"zeroed":               func(_ *rand.Rand, page, _, _ []byte) { clear(page) },
	"out of date":          func(_ *rand.Rand, page, before, _ []byte) { copy(page, before) },
	"another page's":       func(_ *rand.Rand, page, _, other []byte) { copy(page, other) },
}

// later returns a file as it is after more calls, which it adds to want.
func later(t *testing.T, before []byte, want map[claims.Call]claims.State) []byte {
	t.Helper()
	path := newPath(t)
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path, storetest.Roomy())
	for range 6 {
		call := storetest.NewCall(true)
		storetest.Finish(t, s, call, 5000)
		want[call] = claims.Done
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// A file with a damaged page is refused, or intact: it can be written on, and nothing that
// it knew is lost.
func TestFileWithADamagedPageIsRefusedOrCanBeWrittenOn(t *testing.T) {
	before, want := specimen(t)
	whole := later(t, before, want)
	random := rand.New(rand.NewPCG(5, 6))
	pageSize := os.Getpagesize()
	l, err := readLayoutOf(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	pages := min(len(before)/pageSize, int(l.Pages))
	at := func(b []byte, i int) []byte { return b[i*pageSize : (i+1)*pageSize] }
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			opened := 0
			for range rounds {
				damaged, path, i := bytes.Clone(whole), newPath(t), 2+random.IntN(pages-2)
				damage(random, at(damaged, i), at(before, i), at(whole, 2+random.IntN(pages-2)))
				if checkRefusedOrWhole(t, path, damaged, want) {
					continue
				}
				opened++
				s := openAt(t, path, storetest.Roomy())
				for range 20 {
					storetest.Finish(t, s, storetest.NewCall(true), 1000)
				}
				s = reopened(t, s)
				check(t, s, want)
				if t.Failed() {
					t.Fatalf("with page %d damaged", i)
				}
			}
			t.Logf("%d of %d files were intact: the page was not in use, or is as it was", opened, rounds)
		})
	}
}

func TestFileWithADamagedMetaPageIsRefused(t *testing.T) {
	whole, want := specimen(t)
	for page := range 2 {
		for i := pageHeader; i < pageHeader+metaLength; i++ {
			damaged := bytes.Clone(whole)
			damaged[page*os.Getpagesize()+i] ^= 0x10
			if !checkRefusedOrWhole(t, newPath(t), damaged, want) {
				t.Fatalf("opened, with byte %d of meta page %d changed", i, page)
			}
		}
	}
}

func TestFileThatWasCutIsRefused(t *testing.T) {
	whole, want := specimen(t)
	l, err := readLayoutOf(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	used := int64(l.Pages) * l.PageSize
	for _, length := range []int64{0, 1, 15, 80, 4095, 4096, 4097, 8192, 12288, 16384, used / 2, used - l.PageSize, used - 1} {
		if !checkRefusedOrWhole(t, newPath(t), whole[:length], want) {
			t.Errorf("opened, cut to %d of %d bytes", length, len(whole))
		}
	}
	if _, err := readLayoutOf(t, whole[:used-1]); err == nil {
		t.Error("its layout is accepted without its last byte, which may be one of a free page")
	}
	if checkRefusedOrWhole(t, newPath(t), whole[:used], want) {
		t.Error("refused, though only unused space was cut")
	}
}

func readLayoutOf(t *testing.T, whole []byte) (boltcheck.Layout, error) {
	t.Helper()
	path := newPath(t)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return boltcheck.ReadLayout(path)
}

func TestFileOfAnotherFormatIsRefused(t *testing.T) {
	path := newPath(t)
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("somebody's")); return err })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	foreignFiles, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"another bbolt file": foreignFiles,
		"text":               bytes.Repeat([]byte("not a database\n"), 5000),
		"zeros":              make([]byte, 64<<10),
		"SQLite":             append([]byte("SQLite format 3\x00"), make([]byte, 32<<10)...),
	} {
		if !checkRefusedOrWhole(t, newPath(t), content, nil) {
			t.Errorf("%s was opened", name)
		}
	}
}

// Truncating an open file must fail the calls, and nothing else.
func TestFileThatIsTruncatedWhileOpenFailsCalls(t *testing.T) {
	s := openAt(t, newPath(t), claims.Limits{TTL: time.Hour, Bytes: 8 << 20})
	call := storetest.NewCall(true)
	for _, c := range []claims.Call{call, storetest.NewCall(true), storetest.NewCall(false)} {
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, c, claims.Claimed), &claims.Answer{Status: 200, Body: make([]byte, 100<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	held := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	if err := os.Truncate(s.path, 4096); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, begin := s.Begin(t.Context(), call)
		_, other := s.Begin(t.Context(), storetest.NewCall(true))
		for name, err := range map[string]error{"Begin": begin, "Begin of another": other, "Finish": s.Finish(t.Context(), held, storetest.Created())} {
			if !errors.Is(err, claims.ErrUnavailable) || !strings.Contains(err.Error(), s.path) {
				t.Errorf("%s: %v, want that %s cannot be used", name, err, s.path)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
