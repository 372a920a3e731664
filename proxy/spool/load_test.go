package spool

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"outrigger/internal/values"
)

// upload yields left bytes in pieces as a connection does, lets others run between
// them, and notes the most that the store had in use.
type upload struct {
	left  int64
	store *Store
	peak  *peaks
}

type peaks struct{ memory, spool, refused atomic.Int64 }

func (u *upload) Read(p []byte) (int, error) {
	runtime.Gosched()
	u.peak.note(u.store)
	if u.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), u.left, 16<<10)
	u.left -= n
	return int(n), nil
}

func (p *peaks) note(s *Store) {
	memory, spool := s.Usage()
	raise(&p.memory, memory)
	raise(&p.spool, spool)
}

func raise(v *atomic.Int64, to int64) {
	for {
		was := v.Load()
		if was >= to || v.CompareAndSwap(was, to) {
			return
		}
	}
}

// crowd is one kind of callers that all send at once and then wait for an answer.
type crowd struct {
	callers int
	size    int64
}

// load lets all crowds send at once and holds their bodies until everyone has sent.
// It returns the heap in use then, and what of it is left after garbage collection.
func load(tb testing.TB, s *Store, crowds ...crowd) (*peaks, uint64, uint64) {
	peak := &peaks{}
	var sent, answered sync.WaitGroup
	answers := make(chan struct{})
	for _, c := range crowds {
		for range c.callers {
			sent.Add(1)
			answered.Go(func() {
				b, err := s.Read(&upload{left: c.size, store: s, peak: peak}, c.size)
				if errors.Is(err, ErrFull) {
					peak.refused.Add(1)
					b.Close()
				} else if err != nil {
					tb.Errorf("Read: %v", err)
				}
				sent.Done()
				<-answers
				if b != nil {
					b.Close()
				}
			})
		}
	}
	sent.Wait()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	heap := stats.HeapInuse
	runtime.GC()
	runtime.GC() // pools keep what they have through one collection
	runtime.ReadMemStats(&stats)
	close(answers)
	answered.Wait()
	if memory, spool := s.Usage(); memory != 0 || spool != 0 {
		tb.Errorf("memory %d, spool %d in use after all", memory, spool)
	}
	return peak, heap, stats.HeapInuse
}

func TestCrowdStaysWithinBounds(t *testing.T) {
	// The full crowd of BenchmarkCrowd and its bounds, a fiftieth of the callers with
	// a fifth of the bytes each.
	c := Config{BodyMemory: 200 << 10, BodyMax: 1 << 30, MemoryMax: 1 << 20, SpoolMax: 40 << 20}
	large, waiting := crowd{20, 4_000_000}, crowd{200, 200 << 10}
	if testing.Short() {
		c.SpoolMax, large.callers, waiting.callers = c.SpoolMax/4, 5, 50
	}
	s := newStore(t, c)
	peak, _, _ := load(t, s, large, waiting)
	memory, spool, refused := peak.memory.Load(), peak.spool.Load(), peak.refused.Load()
	t.Logf("memory %s of %s, spool %s of %s, %d refused", values.Bytes(memory), c.MemoryMax, values.Bytes(spool), c.SpoolMax, refused)
	if memory > int64(c.MemoryMax) || spool > int64(c.SpoolMax) {
		t.Errorf("memory %d of %d, spool %d of %d", memory, c.MemoryMax, spool, c.SpoolMax)
	}
	if most := int64(large.callers + waiting.callers); refused == 0 || refused == most {
		t.Errorf("%d of %d refused: the crowd is meant to fill memory and disk, and no more", refused, most)
	}
}

// BenchmarkCrowd is 1,000 bodies of 20 MB, then 10,000 of 1 MiB, then both, at the
// default bounds. It needs 10 GiB of disk and 11,000 descriptors:
//
//	go test -run='^$' -bench=Crowd -benchtime=1x ./proxy/spool
func BenchmarkCrowd(b *testing.B) {
	large, waiting := crowd{1000, 20_000_000}, crowd{10_000, 1 << 20}
	for _, crowds := range [][]crowd{{large}, {waiting}, {large, waiting}} {
		b.Run(fmt.Sprint("callers:", crowds), func(b *testing.B) {
			if testing.Short() {
				b.Skip("writes 10 GiB")
			}
			for b.Loop() {
				s := New(Config{BodyMemory: 1 << 20, BodyMax: 1 << 30, MemoryMax: 256 << 20, SpoolMax: 10 << 30, Dir: b.TempDir()})
				peak, heap, live := load(b, s, crowds...)
				b.ReportMetric(float64(peak.memory.Load())/(1<<20), "memory-MiB")
				b.ReportMetric(float64(heap)/(1<<20), "heap-MiB")
				b.ReportMetric(float64(live)/(1<<20), "live-MiB")
				b.ReportMetric(float64(peak.spool.Load())/(1<<20), "spool-MiB")
				b.ReportMetric(float64(peak.refused.Load()), "refused")
			}
		})
	}
}
