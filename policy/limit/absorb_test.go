package limit

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// told is an answer's headers: 60 per minute, of which so many are left.
func told60(left float64) Headers {
	return Headers{Readings: []Reading{{Dimension: "requests", Limit: 60, Remaining: left, Reset: time.Duration(60-left) * time.Second, Resolution: time.Millisecond}}}
}

// TestThoseWhoWaitAtTwoStandInOrderOfArrival lets 200 come to two limiters at random,
// some of them back after a refusal.
func TestThoseWhoWaitAtTwoStandInOrderOfArrival(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	a, b := New(Settings{RPM: 60, QueueMax: 100}, origin), New(Settings{RPM: 60}, origin.Add(time.Second))
	now := origin.Add(2 * time.Second)
	var want []any
	var early []*Waiter
	for i := range 200 {
		now = now.Add(time.Millisecond)
		w := &Waiter{Tag: i}
		l := a
		if random.IntN(2) == 0 {
			l = b
		}
		if d := l.Enter(now, w); d.Reason == Admitted {
			early = append(early, w)
			want = append(want, w.Tag)
		} else if d.Reason == Queued {
			want = append(want, w.Tag)
		}
	}
	for _, w := range early {
		w.owner.Refused(now, w, Refusal{Hint: 10 * time.Millisecond})
	}
	waiting := a.queue.length + b.queue.length
	a.Absorb(now, b)
	if a.queue.length != waiting || b.queue.length != 0 || a.queue.cost[unitRequest] != int64(waiting) {
		t.Fatalf("%d wait in one queue and %d in the other, want %d and 0", a.queue.length, b.queue.length, waiting)
	}
	late := &Waiter{Tag: "late"}
	if d := a.Enter(now, late); d.Reason != QueueFull {
		t.Errorf("got %v, want a full queue", d.Reason)
	}
	var got []any
	for next := now; !next.IsZero(); {
		now = next
		next = a.Release(now, func(w *Waiter) { got = append(got, w.Tag) })
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("admitted in the order %v, want %v", got, want)
	}
}

func TestWhatBothSentCounts(t *testing.T) {
	a, b := New(Settings{Learn: true}, origin), New(Settings{Learn: true}, origin.Add(30*time.Second))
	now := origin.Add(time.Minute)
	var under []*Waiter // way
	for i, l := range []*Limiter{a, b} {
		w := &Waiter{}
		l.Enter(now, w)
		l.Sent(now, w)
		l.Answered(now, w, told60(20-float64(i)))
		for range 3 {
			w := &Waiter{}
			if d := l.Enter(now, w); d.Reason != Admitted {
				t.Fatalf("limiter %d: %v", i, d)
			}
			l.Sent(now, w)
			under = append(under, w)
		}
	}
	a.Absorb(now, b)
	// b was told of 19, and three of each are on their way.
	if got := a.Snapshot(now).Buckets[0].Remaining; got < 12.9 || got > 13.1 {
		t.Errorf("%v may go, want 13", got)
	}
	if got := a.sent[unitRequest]; got != 8 {
		t.Errorf("%d were sent, want 8", got)
	}
	now = now.Add(10 * time.Millisecond)
	for i, w := range under {
		a.Answered(now, w, told60(float64(18-i)))
		if w.state != stateIdle || w.owner != a {
			t.Errorf("answer %d was not taken in", i)
		}
	}
	if got := a.Snapshot(now).Buckets[0].Remaining; got < 12 || got > 13.1 {
		t.Errorf("%v may go after the last answer told of 13", got)
	}
}

func TestALimitFoundWithOthersIsWholeAgain(t *testing.T) {
	a, b := New(Settings{Learn: true}, origin), New(Settings{Learn: true}, origin)
	now := origin.Add(time.Second)
	for _, l := range []*Limiter{a, b} {
		w := &Waiter{}
		l.Enter(now, w)
		l.Sent(now, w)
		l.Answered(now, w, told60(30))
		e := &l.bucket(slotRequests).estimate
		e.reset(0.3, time.Second)
		e.crowd = 1
		l.bucket(slotRequests).tune(now, time.Second)
	}
	a.Absorb(now, b)
	if got := a.Snapshot(now).Buckets[0].Rate; got != pace*1 {
		t.Errorf("%v per second, want %v", got, pace)
	}
}

func TestAPermitIsGivenBackWhereItWentTo(t *testing.T) {
	a, b := New(Settings{RPM: 60}, origin), New(Settings{RPM: 60}, origin)
	var ws [3]Waiter
	for i := range ws {
		b.Enter(origin, &ws[i])
	}
	a.Absorb(origin, b)
	if a.queue.length != 2 || ws[0].state != stateAdmitted {
		t.Fatalf("%d wait", a.queue.length)
	}
	a.Leave(origin, &ws[0])
	if got := a.taken[unitRequest]; got != 0 {
		t.Errorf("%d taken, want 0", got)
	}
	a.Leave(origin, &ws[1])
	if a.queue.length != 1 {
		t.Errorf("%d wait, want 1", a.queue.length)
	}
}

// TestASplitLineKeepsItsOrder takes every third out again.
func TestASplitLineKeepsItsOrder(t *testing.T) {
	l := New(Settings{Learn: true}, origin)
	now := origin
	first := &Waiter{}
	l.Enter(now, first)
	l.Sent(now, first)
	l.Answered(now, first, told60(0))
	all := make([]Waiter, 30)
	for i := range all {
		now = now.Add(time.Millisecond)
		all[i].Tag = i
		if d := l.Enter(now, &all[i]); d.Reason != Queued {
			t.Fatalf("%d: %v", i, d)
		}
	}
	n := l.Split(now, func(w *Waiter) bool { return w.Tag.(int)%3 == 0 })
	if s := n.Snapshot(now).Buckets; len(s) != 1 || s[0].Limit != 60 || s[0].Source != SourceHeader {
		t.Errorf("the new one knows %+v", s)
	}
	order := func(l *Limiter) []any {
		var got []any
		at := now
		for next := at; !next.IsZero(); {
			at = next
			next = l.Release(at, func(w *Waiter) {
				got = append(got, w.Tag)
				l.Sent(at, w)
			})
		}
		return got
	}
	var mine, others []any
	for i := range all {
		if i%3 == 0 {
			mine = append(mine, i)
		} else {
			others = append(others, i)
		}
	}
	if got := order(n); !reflect.DeepEqual(got, mine) {
		t.Errorf("moved: %v", got)
	}
	if got := order(l); !reflect.DeepEqual(got, others) {
		t.Errorf("stayed: %v", got)
	}
}

// TestAWaiterThatWasSentBeforeTheSplitComesBackInItsPlace is refused afterwards.
func TestAWaiterThatWasSentBeforeTheSplitComesBackInItsPlace(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	w, later := &Waiter{Tag: "first"}, &Waiter{Tag: "later"}
	l.Enter(origin, w)
	l.Sent(origin, w)
	l.Enter(origin.Add(time.Millisecond), later)
	n := l.Split(origin.Add(time.Millisecond), func(*Waiter) bool { return true })
	at := origin.Add(2 * time.Millisecond)
	if d := n.Refused(at, w, Refusal{Hint: 100 * time.Millisecond}); d.Reason != Queued {
		t.Fatal(d)
	}
	if n.queue.head() != w {
		t.Error("it is not the head")
	}
}

// TestWhatIsAbsorbedNeverUpsetsTheLimiter drives limiters with random loads, and lets
// them absorb each other and split.
func TestWhatIsAbsorbedNeverUpsetsTheLimiter(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			now := origin
			all := []*Limiter{New(Settings{Learn: true}, now), New(Settings{Learn: true}, now.Add(time.Hour)), New(Settings{Learn: true}, now)}
			now = now.Add(time.Hour)
			at := map[*Waiter]*Limiter{}
			admitted := map[*Waiter]bool{}
			entered, over := 0, 0
			for range 3000 {
				now = now.Add(time.Duration(random.IntN(20)) * time.Millisecond)
				for w := range admitted {
					l := at[w]
					l.Sent(now, w)
					delete(admitted, w)
					switch random.IntN(4) {
					case 0:
						if d := l.Refused(now, w, Refusal{Hint: 20 * time.Millisecond, Limit: 1200, Used: 1200, Requested: 1, Window: time.Minute, Dimension: "requests"}); d.Reason == Queued {
							continue
						}
					default:
						l.Answered(now, w, Headers{Readings: []Reading{{Dimension: "requests", Limit: 1200, Remaining: 1100, Reset: 5 * time.Second, Resolution: time.Millisecond}}})
					}
					delete(at, w)
					over++
				}
				i := random.IntN(len(all))
				switch random.IntN(40) {
				case 0:
					j := (i + 1) % len(all)
					if all[i] != all[j] {
						old := all[j]
						all[i].Absorb(now, old)
						for w, l := range at {
							if l == old {
								at[w] = all[i]
							}
						}
						for k := range all {
							if all[k] == old {
								all[k] = all[i]
							}
						}
					}
				case 1:
					old := all[i]
					moved := map[*Waiter]bool{}
					n := old.Split(now, func(w *Waiter) bool {
						moved[w] = random.IntN(2) == 0
						return moved[w]
					})
					for w, yes := range moved {
						if yes {
							at[w] = n
						}
					}
					all[i] = n
					for w, l := range at {
						if l == old && !w.queued() {
							at[w] = n
						}
					}
					if old.queue.length > 0 { // somebody must go on with it
						all = append(all, old)
					}
				default:
					w := &Waiter{}
					entered++
					switch all[i].Enter(now, w).Reason {
					case Admitted:
						admitted[w], at[w] = true, all[i]
					case Queued:
						at[w] = all[i]
					default:
						over++
					}
				}
				for _, l := range all {
					l.Release(now, func(w *Waiter) {
						if admitted[w] || at[w] != l {
							t.Fatal("admitted twice, or elsewhere")
						}
						admitted[w] = true
					})
				}
			}
			waiting := 0
			seen := map[*Limiter]bool{}
			for _, l := range all {
				if !seen[l] {
					seen[l] = true
					waiting += l.queue.length
				}
			}
			if entered != over+waiting+len(admitted) {
				t.Errorf("%d came, %d are over, %d wait and %d are on their way", entered, over, waiting, len(admitted))
			}
		})
	}
}

// TestAPermitIsFollowedThroughSeveral has one of a limiter that was absorbed by one that
// was absorbed, and one of a limiter that nobody absorbed.
func TestAPermitIsFollowedThroughSeveral(t *testing.T) {
	first, second, last := New(Settings{RPM: 60}, origin), New(Settings{RPM: 60}, at(-time.Second)), New(Settings{RPM: 60}, at(time.Second))
	var w, other Waiter
	first.Enter(at(time.Second), &w)
	New(Settings{RPM: 60}, origin).Enter(origin, &other)
	second.Absorb(at(2*time.Second), first)
	last.Absorb(at(3*time.Second), second)
	if got := last.taken[unitRequest]; got != 1 {
		t.Fatalf("%d taken, want 1", got)
	}
	last.Leave(at(3*time.Second), &other)
	if got := last.taken[unitRequest]; got != 1 {
		t.Errorf("%d taken after a stranger left, want 1", got)
	}
	last.follow(&w)
	if w.admitted != 0 {
		t.Errorf("admitted at %v by the start of the last, want 0", w.admitted)
	}
	last.Leave(at(3*time.Second), &w)
	if got := last.taken[unitRequest]; got != 0 {
		t.Errorf("%d taken after it left, want 0", got)
	}
}

func TestWhatIsKeptOfTheAbsorbedIsBounded(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	for range 3 * mostLegacies {
		l.Absorb(origin, New(Settings{RPM: 60}, origin))
	}
	if got := len(l.legacies); got == 0 || got > mostLegacies {
		t.Errorf("%d are kept, want some, and at most %d", got, mostLegacies)
	}
}
