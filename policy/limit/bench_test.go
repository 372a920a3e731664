package limit

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"outrigger/policy/priority"
)

// BenchmarkUnlimited is what a request costs where nothing limits it.
func BenchmarkUnlimited(b *testing.B) {
	for name, set := range map[string]Settings{"type:fixed": {}, "type:learning": learning} {
		b.Run(name, func(b *testing.B) {
			l := New(set, origin)
			w := &Waiter{Tokens: 100}
			now := origin
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Second)
				if l.Enter(now, w).Reason != Admitted {
					b.Fatal("not admitted")
				}
				l.Sent(now, w)
				l.Answered(now, w, Headers{})
			}
		})
	}
}

// BenchmarkLimited is what a request costs that passes two accounts.
func BenchmarkLimited(b *testing.B) {
	l := New(Settings{RPM: 1_000_000, TPM: 1_000_000_000, Learn: true}, origin)
	w := &Waiter{Tokens: 100}
	now := origin
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		if l.Enter(now, w).Reason != Admitted {
			b.Fatal("not admitted")
		}
		l.Sent(now, w)
		l.Answered(now, w, Headers{})
	}
}

// BenchmarkLine is what one admission costs with so many waiting: one leaves at the
// head, another joins at the end.
func BenchmarkLine(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			l := New(Settings{RPM: 60, TPM: 600_000}, origin)
			ws := make([]Waiter, n)
			now := origin
			for i := range ws {
				ws[i].Tokens = 100
				l.Enter(now, &ws[i])
			}
			var free *Waiter
			admit := func(w *Waiter) { free = w }
			b.ReportAllocs()
			for b.Loop() {
				now = l.Release(now, admit)
				if free != nil {
					*free = Waiter{Tokens: 100}
					l.Enter(now, free)
					free = nil
				}
			}
		})
	}
}

// BenchmarkLeave is what leaving from the middle costs with so many waiting.
func BenchmarkLeave(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			l := New(Settings{RPM: 60}, origin)
			ws := make([]Waiter, n)
			for i := range ws {
				l.Enter(origin, &ws[i])
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % n
				w := &ws[i]
				l.Leave(origin, w)
				*w = Waiter{}
				l.Enter(origin, w)
			}
		})
	}
}

// BenchmarkTurns is what leaving and joining cost among so many of three priorities and a
// hundred callers.
func BenchmarkTurns(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			l := New(Settings{RPM: 60}, origin)
			ws := make([]Waiter, n)
			join := func(i int) {
				ws[i] = Waiter{Priority: priority.All[i%priority.Count], Caller: uint64(i % 100)}
				l.Enter(origin, &ws[i])
			}
			for i := range ws {
				join(i)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % n
				l.Leave(origin, &ws[i])
				join(i)
			}
		})
	}
}

// BenchmarkComingBack is what a refused request's return costs with so many others
// that came back before it.
func BenchmarkComingBack(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("returned:%d", n), func(b *testing.B) {
			l := New(Settings{RPM: 60}, origin)
			ws := make([]Waiter, n)
			for i := range ws {
				l.queue.arrive(&ws[i], 0)
			}
			for i := range ws {
				l.queue.join(&ws[(i*7919)%n], false)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % n
				l.queue.remove(&ws[i])
				l.queue.join(&ws[i], false)
			}
		})
	}
}

// BenchmarkParseHeaders is what reading OpenAI's six headers among others costs.
func BenchmarkParseHeaders(b *testing.B) {
	h := header("X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Limit-Tokens", "150000",
		"X-Ratelimit-Remaining-Requests", "59", "X-Ratelimit-Remaining-Tokens", "149984",
		"X-Ratelimit-Reset-Requests", "1s", "X-Ratelimit-Reset-Tokens", "6m0s",
		"Content-Type", "application/json", "Date", "x", "Server", "x", "Openai-Version", "x", "X-Request-Id", "x", "Cf-Ray", "x")
	b.ReportAllocs()
	for b.Loop() {
		ParseHeaders(h, origin)
	}
}

func TestTheUnlimitedPathAllocatesNothing(t *testing.T) {
	for name, set := range map[string]Settings{"fixed": {}, "learning": learning} {
		l := New(set, origin)
		w := &Waiter{Tokens: 100}
		now := origin
		if got := testing.AllocsPerRun(1000, func() {
			now = now.Add(time.Second)
			l.Enter(now, w)
			l.Sent(now, w)
			l.Answered(now, w, Headers{})
		}); got != 0 {
			t.Errorf("%s: %v allocations, want none", name, got)
		}
	}
}

func TestAHundredThousandWaitersFitIntoAHundredMegabytes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l := New(Settings{RPM: 60}, origin)
	ws := make([]*Waiter, 100_000)
	for i := range ws {
		ws[i] = &Waiter{}
		l.Enter(origin, ws[i])
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > 100<<20 {
		t.Errorf("%d bytes, want at most 100 MiB", got)
	}
	runtime.KeepAlive(ws)
	runtime.KeepAlive(l)
}

// BenchmarkExpel is what a look at the whole queue costs with so many waiting.
func BenchmarkExpel(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			l := New(Settings{RPM: 60, TPM: 600_000}, origin)
			for range n {
				l.Enter(origin, &Waiter{Tokens: 100, Deadline: origin.Add(1000 * time.Hour)})
			}
			for b.Loop() {
				l.slowed, l.expel = true, time.Time{}
				l.Expel(origin, func(*Waiter, Decision) { b.Fatal("expelled") })
			}
		})
	}
}
