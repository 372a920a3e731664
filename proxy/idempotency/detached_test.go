package idempotency

import (
	"testing"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/spool"
)

func TestDetachedCallsAreBoundedInBytes(t *testing.T) {
	d := newDetached(spool.New(spool.Config{MemoryMax: 64 << 20}), 64<<20, 0)
	enter := func(owner uint64, bytes int64) (*attachment, bool) {
		a := &attachment{in: d, owner: claims.Owner{byte(owner)}, bytes: bytes}
		return a, d.enter(a)
	}
	var first *attachment
	n := 0
	for ; ; n++ {
		a, ok := enter(1, 1<<20)
		if !ok {
			break
		}
		first = a
	}
	if n != 6 { // a half of seven eighths of 16 MiB, with what each costs
		t.Errorf("%d of 1 MiB may go on, want 6", n)
	}
	if first.Reserve(3 << 20) {
		t.Error("an answer may grow over the bound")
	}
	if !first.Reserve(1 << 20) {
		t.Error("an answer may not grow within the bound")
	}
	other, ok := enter(2, 0)
	if !ok || !other.Reserve(1<<20) {
		t.Error("nothing is left for another credential")
	}
	waited := &attachment{in: d, owner: claims.Owner{1}}
	if !waited.Reserve(20 << 20) {
		t.Error("an answer that somebody waits for is bounded with those that nobody does")
	}
	if d.enter(waited) {
		t.Error("a call with a large answer goes on")
	}
}

// A credential gets what is left for all others: alone a half, as one of three a quarter.
func TestOneCredentialNeverTakesTheWholeBound(t *testing.T) {
	d := newDetached(spool.New(spool.Config{MemoryMax: 1 << 30}), 1<<30, 0)
	var all []*attachment
	enter := func(owner uint64) {
		a := &attachment{in: d, owner: claims.Owner{byte(owner)}}
		d.enter(a)
		all = append(all, a)
	}
	for range maxDetached {
		for owner := range uint64(3) {
			enter(owner)
		}
	}
	for owner, own := range d.shares {
		if own.Calls != maxDetached/4 {
			t.Errorf("credential %x has %d calls, want %d", owner, own.Calls, maxDetached/4)
		}
	}
	enter(4)
	if late := d.shares[claims.Owner{4}]; late.Calls != 1 {
		t.Error("nothing is left for a credential that comes later")
	}
	for _, a := range all {
		d.leave(a)
	}
	if left := d.Load(); left != (load{}) || len(d.shares) != 0 {
		t.Errorf("%+v and %d credentials are counted when all have left", left, len(d.shares))
	}
}
