package sticky

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tell lets home answer a call with body.
func tell(m *Map, home int, endpoint, body string) {
	l := m.Learner(Owner{}, endpoint, "POST", true, nil, home)
	if l != nil {
		_, _ = l.Write([]byte(body))
	}
}

// tellAs is tell on the word of another owner.
func tellAs(m *Map, owner byte, home int, endpoint, body string) {
	_, _ = m.Learner(Owner{owner}, endpoint, "POST", true, nil, home).Write([]byte(body))
}

// homeOf is where owner's request for a file goes.
func homeOf(m *Map, owner byte, id string) int {
	home, _ := m.Request(Owner{owner}).Home("files", "GET", "/v1/files/"+id)
	return home
}

func TestALaterHomeReplacesAnEarlierOne(t *testing.T) {
	m := New(10*entryBytes + shareBytes)
	tell(m, 1, "files", `{"id":"file-1"}`)
	tell(m, 2, "files", `{"id":"file-1"}`)
	if home, bound := m.Request().Home("files", "GET", "/v1/files/file-1"); home != 2 || !bound {
		t.Errorf("got %d, %v", home, bound)
	}
}

func TestMap_AnotherCredentialMovesNothing(t *testing.T) {
	m := New(100*entryBytes + shareBytes)
	tellAs(m, 'a', 1, "files", `{"id":"file-of-a"}`)
	tellAs(m, 'b', 2, "files", `{"id":"file-of-a"}`)
	for owner, want := range map[byte]int{'a': 1, 'b': 2, 'c': 1} { // c takes the word of who was first
		if got := homeOf(m, owner, "file-of-a"); got != want {
			t.Errorf("%c is sent to %d, want %d", owner, got, want)
		}
	}
	// It may say so first, and is believed by itself alone.
	tellAs(m, 'b', 2, "files", `{"id":"file-made-by-a-later"}`)
	tellAs(m, 'a', 1, "files", `{"id":"file-made-by-a-later"}`)
	if got := homeOf(m, 'a', "file-made-by-a-later"); got != 1 {
		t.Errorf("a is sent to %d", got)
	}
}

func TestMap_AFloodOfOneCredentialForgetsNothingOfAnothers(t *testing.T) {
	const room = 2000
	m := New(room*entryBytes + 2*shareBytes)
	for i := range 20 {
		tellAs(m, 'a', 1, "files", fmt.Sprintf(`{"id":"file-a%d"}`, i))
		tellAs(m, 'b', 1, "files", fmt.Sprintf(`{"id":"file-a%d"}`, i)) // known to both
	}
	for i := range 10 * room {
		tellAs(m, 'b', 2, []string{"files", "responses"}[i%2], fmt.Sprintf(`{"id":"file-b%d"}`, i))
	}
	for i := range 20 {
		if got := homeOf(m, 'a', fmt.Sprintf("file-a%d", i)); got != 1 {
			t.Errorf("file-a%d is forgotten", i)
		}
	}
	if n := m.Len(); n != room {
		t.Errorf("%d ids, want %d", n, room)
	}
	// Nor of many: who has little loses nothing to those who have more.
	for i := range 10 * room {
		tellAs(m, byte(i%50+150), 2, "files", fmt.Sprintf(`{"id":"file-c%d"}`, i))
	}
	for i := range 20 {
		if got := homeOf(m, 'a', fmt.Sprintf("file-a%d", i)); got != 1 {
			t.Errorf("file-a%d is forgotten for many", i)
		}
	}
}

func TestMap_ForgetsWhatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Bytes)
		for i := range 1000 {
			tellAs(m, byte(i), 1, "files", fmt.Sprintf(`{"id":"file-%d"}`, i))
		}
		time.Sleep(idleUnused - time.Minute)
		if got := homeOf(m, 'a', "file-1"); got != 1 {
			t.Errorf("forgotten too soon: %d", got)
		}
		time.Sleep(sweepEvery + time.Minute)
		if got, n := homeOf(m, 'a', "file-1"), m.Len(); got != 1 || n != 1 || len(m.shares) != 1 || len(m.bySize) != 1 {
			t.Errorf("goes to %d; %d ids of %d, want the one that was asked for", got, n, len(m.shares))
		}
		time.Sleep(idleUsed + sweepEvery)
		if got, n := homeOf(m, 'a', "file-1"), m.Len(); got != 0 || n != 0 || len(m.bySize) != 0 {
			t.Errorf("goes to %d; %d ids", got, n)
		}
	})
}

func TestObjectsAreNotForgottenForTurns(t *testing.T) {
	m := New(20*entryBytes + shareBytes)
	tell(m, 1, "files", `{"id":"file-1"}`)
	for i := range 100 {
		tell(m, 1, "responses", fmt.Sprintf(`{"id":"resp_%d"}`, i))
	}
	for path, want := range map[string]int{"/v1/files/file-1": 1, "/v1/files/file-2": 0} {
		if home, bound := m.Request().Home("files", "GET", path); home != want || !bound {
			t.Errorf("%s: got %d, %v, want %d", path, home, bound, want)
		}
	}
	if got := m.Len(); got != 20 {
		t.Errorf("%d ids are kept, want 1 object and 19 turns", got)
	}
}

func TestWhatWasMadeElsewhereIsNotForgottenForWhatTheFirstMakes(t *testing.T) {
	m := New(20*entryBytes + shareBytes)
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
}

func TestAFullMapTakesWhatIsSaid(t *testing.T) {
	for name, owners := range map[string]int{"one credential": 1, "a thousand": 1000, "as many as ids": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			m := New(Bytes)
			for i := range uint64(2 * Bytes / entryBytes) {
				var owner Owner
				binary.LittleEndian.PutUint64(owner[:], i%uint64(owners))
				m.put(owner, Objects+Kind(i%2), i*0x9E3779B97F4A7C15, int(i/2%2))
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			took := float64(after.HeapAlloc) - float64(before.HeapAlloc)
			if left := m.most - m.takes(); left < 0 || left > entryBytes+shareBytes || took > Bytes {
				t.Errorf("%d ids take %.1f MiB, %d bytes are left of %d", m.Len(), took/(1<<20), left, m.most)
			}
			t.Logf("%.1f MiB, %.0f bytes each", took/(1<<20), took/float64(m.Len()))
		})
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	m := New(50*entryBytes + shareBytes)
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
