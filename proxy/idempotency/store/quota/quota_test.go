package quota

import (
	"errors"
	"testing"

	"outrigger/proxy/idempotency/claims"

	"pgregory.net/rapid"
)

func TestUsageKnowsWhoHasMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u Usage[struct{}]
		want := make(map[claims.Owner]int64)
		t.Repeat(map[string]func(*rapid.T){
			"grow": func(t *rapid.T) {
				owner := claims.Owner{rapid.Byte().Draw(t, "owner") % 5}
				n := rapid.Int64Range(-want[owner], 100).Draw(t, "bytes")
				if n == 0 && want[owner] == 0 {
					t.Skip("nothing grows")
				}
				u.Grow(owner, n)
				want[owner] += n
			},
			"": func(t *rapid.T) {
				all, most := int64(0), int64(0)
				for owner, n := range want {
					all, most = all+n, max(most, n)
					if own := u.Of(owner); (own == nil) != (n == 0) || own != nil && (own.Used != n || u.largest[own.at] != own) {
						t.Fatalf("%v has %+v, want %d bytes", owner, own, n)
					}
				}
				if u.Used() != all {
					t.Fatalf("%d bytes are used, want %d", u.Used(), all)
				}
				if first := u.Largest(); (first == nil) != (all == 0) || first != nil && first.Used != most {
					t.Fatalf("first is %+v, want one with %d bytes", first, most)
				}
			},
		})
	})
}

func TestMarkersLeaveHalfToOthers(t *testing.T) {
	const most = 40
	m := NewMarkers(most * Marker * MarkerShare)
	count := func(owner byte) int {
		for n := 0; ; n++ {
			if err := m.Reserve(claims.Owner{owner}); err != nil {
				if !errors.Is(err, claims.ErrFull) {
					t.Fatalf("got %v, want ErrFull", err)
				}
				return n
			}
		}
	}
	if first, second := count(1), count(2); first != most/2 || second != most/4 {
		t.Errorf("the first owner has %d, the second %d, want %d and %d", first, second, most/2, most/4)
	}
	for owner := byte(3); m.All() < m.Most()-1; owner++ {
		if count(owner) == 0 {
			break
		}
	}
	if m.All() > most || m.Left() != (most-m.All())*Marker {
		t.Errorf("%d of %d markers, %d bytes left", m.All(), most, m.Left())
	}
	before := m.All()
	m.Add(claims.Owner{1}, -5)
	if err := m.Reserve(claims.Owner{99}); err != nil || m.All() != before-4 {
		t.Errorf("%v, %d markers, want %d", err, m.All(), before-4)
	}
}
