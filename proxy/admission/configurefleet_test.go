package admission

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
)

// solo is a fleet of one, which grants all that a limit leaves.
type solo struct {
	mu     sync.Mutex
	places []PlacesAsk
	leases map[Account]int
	woken  map[Account]bool
}

func (f *solo) Apart() (int, bool) { return 0, false }

func (f *solo) Lease(of Account, a Ask, done func(Lease, bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leases[of]++
	go func() {
		r := Lease{}
		r.Epoch = "e"
		for _, s := range a.Slots {
			r.Granted[s.Slot] = s.Want
		}
		done(r, true)
	}()
}

func (f *solo) Places(_ Account, a PlacesAsk, done func(PlacesLease, bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.places = append(f.places, a)
	go done(PlacesLease{Granted: max(0, min(a.Want, a.Limit-a.Held))}, true)
}

func (f *solo) Woken(of Account, wake func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.woken[of] = wake != nil
}

func newSolo() *solo { return &solo{leases: map[Account]int{}, woken: map[Account]bool{}} }

func TestSlots_AChangedBoundIsOfTheFleetToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, of := newSolo(), Account{Payer: [32]byte{1}}
		s := NewSlots(4, 10, false)
		s.Share(f, of)
		held := make([]Slot, 4)
		for i := range held {
			if err := s.Take(t.Context(), &held[i], &SlotWaiter{}, time.Time{}, false); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan error, 1)
		var waits Slot
		go func() { got <- s.Take(t.Context(), &waits, &SlotWaiter{}, time.Time{}, false) }()
		synctest.Wait()
		s.Share(f, of)
		s.Configure(2, 10, false)
		for i := range 2 {
			held[i].Give(true)
			synctest.Wait()
			if len(got) > 0 || waits.Of != nil {
				t.Fatalf("one more goes beside %d", 3-i)
			}
		}
		held[2].Give(true)
		time.Sleep(time.Second)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		if last := f.places[len(f.places)-1]; last.Limit != 2 {
			t.Errorf("the fleet is asked for one of %d places", last.Limit)
		}
		asked := len(f.places)
		f.mu.Unlock()

		s.Unshare()
		s.Configure(0, 10, false)
		time.Sleep(time.Minute)
		if f.woken[of] || len(f.places) != asked {
			t.Error("the fleet hears of what is bounded no more")
		}
		held[3].Give(true)
		waits.Give(true)
		s.Stop()
	})
}

// Those that part since a limit is configured lease by themselves.
func TestQueues_ThatPartWhenALimitIsConfiguredLeaseOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now, f := time.Now(), newSolo()
		ls := NewQueues(limit.Settings{Learn: true})
		ls.Fleet = f
		ls.SharedQuotas = NewSharedQuotas(func(string, []slog.Attr) {}, func() string { return "openai" }, now)
		a, b := ls.Of(Key{Model: "a"}, now), ls.Of(Key{Model: "b"}, now)
		a.Identify([32]byte{1}, now)
		b.Identify([32]byte{1}, now)
		ls.SharedQuotas.moving.Lock()
		a.scheduler.Load().absorb(b.scheduler.Load(), now)
		ls.SharedQuotas.moving.Unlock()
		ls.Configure(limit.Settings{Learn: true, RPM: 60, QueueMax: 5}, true, QueueRoom, now)
		for _, ln := range []*Queue{a, b} {
			ts := ln.scheduler.Load()
			if want := (Account{Payer: [32]byte{1}, Model: ln.key.Model}); ts.fleet == nil || ts.leasesFrom != want || !ts.limiter.Shares() {
				t.Errorf("%s leases from %+v", ln.key.Model, ts.leasesFrom)
			}
		}
		synctest.Wait()
		for _, ln := range []*Queue{a, b} {
			ln.Slots.Stop()
		}
	})
}
