package sticky

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheLeastRecentlyUsedIDGivesWay(t *testing.T) {
	l := lru{most: 3}
	for key := range uint64(3) {
		l.put(key, int(key))
	}
	l.get(0)
	l.put(3, 3) // 1 goes
	l.put(2, 9)
	l.put(4, 4) // 0 goes
	for key, want := range map[uint64]int{2: 9, 3: 3, 4: 4} {
		if home, ok := l.get(key); !ok || home != want {
			t.Errorf("%d: got %d, %v, want %d", key, home, ok, want)
		}
	}
	for _, key := range []uint64{0, 1, 5} {
		if _, ok := l.get(key); ok {
			t.Errorf("%d is still there", key)
		}
	}
}

// TestTheMemoryIsAListOfTheLastUsed holds it to a plain list.
func TestTheMemoryIsAListOfTheLastUsed(t *testing.T) {
	type entry struct {
		key  uint64
		home int
	}
	rapid.Check(t, func(t *rapid.T) {
		l := lru{most: rapid.IntRange(1, 5).Draw(t, "most")}
		var list []entry // the last used first
		at := func(key uint64) int {
			return slices.IndexFunc(list, func(e entry) bool { return e.key == key })
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			key := rapid.Uint64Range(0, 8).Draw(t, "key")
			i := at(key)
			if rapid.Bool().Draw(t, "put") {
				home := rapid.IntRange(0, 3).Draw(t, "home")
				l.put(key, home)
				if i >= 0 {
					list = slices.Delete(list, i, i+1)
				}
				list = slices.Insert(list, 0, entry{key, home})
				list = list[:min(len(list), l.most)]
				continue
			}
			home, ok := l.get(key)
			if ok != (i >= 0) || ok && home != list[i].home {
				t.Fatalf("key %d: got %d, %v, want it at %d of %v", key, home, ok, i, list)
			}
			if ok {
				e := list[i]
				list = slices.Insert(slices.Delete(list, i, i+1), 0, e)
			}
		}
		if len(l.at) != len(list) || len(l.slots) > l.most {
			t.Fatalf("%d ids in %d slots, want %v", len(l.at), len(l.slots), list)
		}
	})
}
