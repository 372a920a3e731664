package sticky

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"unsafe"
)

// tell lets home answer a call with body.
func tell(m *Map, home int, endpoint, body string) {
	l := m.Learner(endpoint, "POST", true, nil, home)
	if l != nil {
		_, _ = l.Write([]byte(body))
	}
}

func TestALaterHomeReplacesAnEarlierOne(t *testing.T) {
	m := New(10)
	tell(m, 1, "files", `{"id":"file-1"}`)
	tell(m, 2, "files", `{"id":"file-1"}`)
	if home, bound := m.Request().Home("files", "GET", "/v1/files/file-1"); home != 2 || !bound {
		t.Errorf("got %d, %v", home, bound)
	}
}

func TestObjectsAreNotForgottenForTurns(t *testing.T) {
	m := New(10)
	tell(m, 1, "files", `{"id":"file-1"}`)
	for i := range 100 {
		tell(m, 1, "responses", fmt.Sprintf(`{"id":"resp_%d"}`, i))
	}
	for path, want := range map[string]int{"/v1/files/file-1": 1, "/v1/files/file-2": 0} {
		if home, bound := m.Request().Home("files", "GET", path); home != want || !bound {
			t.Errorf("%s: got %d, %v, want %d", path, home, bound, want)
		}
	}
	if got := m.Len(); got != 11 {
		t.Errorf("%d ids are kept, want 1 object and 10 turns", got)
	}
}

func TestWhatWasMadeElsewhereIsNotForgottenForWhatTheFirstMakes(t *testing.T) {
	m := New(10)
	tell(m, 1, "files", `{"id":"file-one"}`)
	tell(m, 2, "responses", `{"id":"resp_two"}`)
	for i := range 100 {
		tell(m, 0, "files", fmt.Sprintf(`{"id":"file-%d"}`, i))
		tell(m, 0, "responses", fmt.Sprintf(`{"id":"resp_%d"}`, i))
	}
	for endpoint, want := range map[string]int{"files": 1, "responses": 2} {
		id := map[string]string{"files": "file-one", "responses": "resp_two"}[endpoint]
		if home, _ := m.Request().Home(endpoint, "GET", "/v1/"+endpoint+"/"+id); home != want {
			t.Errorf("%s: got %d, want %d", id, home, want)
		}
	}
	if got := m.Len(); got != 22 {
		t.Errorf("%d ids are kept, want 22", got)
	}
}

func TestAFullMapTakesWhatIsSaid(t *testing.T) {
	if size := unsafe.Sizeof(slot{}); size > 24 {
		t.Errorf("a slot takes %d bytes", size)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := New(Entries)
	var id [8]byte
	for i := range uint64(4 * Entries) {
		binary.LittleEndian.PutUint64(id[:], i*0x9E3779B97F4A7C15)
		for c := range uint64(classes) {
			m.put(Objects+Kind(c/2), binary.LittleEndian.Uint64(id[:])+c, int(c%2))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	took := (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / (1 << 20)
	if m.Len() != classes*Entries || took > 10 {
		t.Errorf("%d ids take %.1f MiB, want %d in less than 10", m.Len(), took, classes*Entries)
	}
	t.Logf("%.1f MiB", took)
}

func TestManyMayAskAtOnce(t *testing.T) {
	m := New(50)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				tell(m, 1, "files", fmt.Sprintf(`{"id":"file-%d"}`, n*i%70))
				m.Request().Home("files", "GET", fmt.Sprintf("/v1/files/file-%d", n%70))
			}
		})
	}
	all.Wait()
	if m.Len() > 50 {
		t.Errorf("%d ids", m.Len())
	}
}
