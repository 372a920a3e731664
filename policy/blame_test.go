package policy

import (
	"testing"
	"time"
)

func TestOneCallersFailuresAreItsOwnWhileOthersSucceed(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	b := NewBlame[string](10)
	if !b.Failed(at(0), "a") || !b.Failed(at(1), "a") {
		t.Error("alone, a's failures are not the upstream's")
	}
	b.Succeeded(at(2), at(0.5), "b")
	if b.Failed(at(2.1), "a") {
		t.Error("b began and succeeded since a failed, and a's failures are the upstream's")
	}
	b.Succeeded(at(2.2), at(2.1), "a") // it is well again
	if !b.Failed(at(2.3), "a") || !b.Failed(at(2.4), "a") {
		t.Error("nobody has succeeded since a began to fail anew, and its failures are its own")
	}
	b.Succeeded(at(2.5), at(2.2), "b") // sent before a failed: it tells of the time before
	if !b.Failed(at(2.6), "a") {
		t.Error("a success of before makes a's failures its own")
	}
	b.Succeeded(at(3), at(2.9), "b")
	b.Succeeded(at(3.1), at(3), "b")
	if b.Failed(at(13), "a") || !b.Failed(at(13.2), "a") {
		t.Error("a success is not remembered for 10 s")
	}
}

func TestWhoHasNotFailedMayTry(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := NewBlame[string](3)
	b.Failed(now, "a")
	if b.Try(now, "a") {
		t.Error("the one that failed may try")
	}
	if !b.Try(now, "b") || b.Try(now, "b") {
		t.Error("one that is not known may not try once")
	}
	if b.Try(now.Add(time.Minute), "a") {
		t.Error("the last one that failed may try after a while: nobody else has failed")
	}
	if !b.FailedLately(now, "a") || b.FailedLately(now.Add(11*time.Second), "a") || b.FailedLately(now, "c") {
		t.Error("who failed lately is not told")
	}
}

func TestFailingKeysAreBounded(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := NewBlame[int](100)
	for i := range 10_000 {
		if !b.Failed(now, i) {
			t.Fatalf("key %d: a first failure is its own", i)
		}
	}
	if len(b.failing) != 100 {
		t.Errorf("%d are known", len(b.failing))
	}
	b.Failed(now.Add(time.Minute), -1)
	if len(b.failing) != 1 {
		t.Errorf("%d are known after a minute", len(b.failing))
	}
}

func TestOwnRetriesComeOfSuccessesAndLapse(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	r := NewReserve[string](2)
	if r.Take(now, "a") {
		t.Error("a has a retry without a success")
	}
	for range 50 {
		r.Earn(now, "a")
	}
	taken := 0
	for r.Take(now, "a") {
		taken++
	}
	if taken != budgetFloor {
		t.Errorf("a has %d, want %d", taken, budgetFloor)
	}
	r.Return("a")
	if !r.Take(now, "a") || r.Take(now, "a") {
		t.Error("one that did not fail is not given back")
	}
	r.Earn(now, "a")
	if r.Take(now.Add(budgetWindow+1), "a") {
		t.Error("they do not lapse")
	}
	r.Earn(now, "b")
	r.Earn(now, "c") // beyond the bound
	if len(r.byKey) != 2 || r.Take(now, "c") {
		t.Errorf("%d are known", len(r.byKey))
	}
	r.Earn(now.Add(time.Minute), "c")
	if len(r.byKey) != 1 || !r.Take(now.Add(time.Minute), "c") {
		t.Errorf("%d are known after a minute", len(r.byKey))
	}
}
