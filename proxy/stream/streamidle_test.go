package stream

import (
	"testing"
	"testing/synctest"
	"time"
)

// A read that takes too long is noticed in time, whatever the reads before it were bounded to, and
// nothing rings between two reads or when all is over.
func TestSilenceIsNoticedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		times := make(chan time.Duration, 10)
		s := &silence{ring: func() { times <- time.Since(start) }}
		rings := func() []time.Duration { // since it was called last
			synctest.Wait()
			var all []time.Duration
			for len(times) > 0 {
				all = append(all, <-times)
			}
			return all
		}
		read := func(bound, takes time.Duration) {
			s.begin(bound)
			time.Sleep(takes)
			s.end()
		}
		for range 100 { // a busy stream, 100 s long
			read(10*time.Second, time.Second)
		}
		time.Sleep(time.Minute) // the caller takes its time
		if rang := rings(); len(rang) != 0 {
			t.Fatalf("it rang at %v, and no read took too long", rang)
		}
		began := time.Since(start)
		read(10*time.Second, 11*time.Second)
		if rang := rings(); len(rang) != 1 || rang[0] != began+10*time.Second {
			t.Fatalf("it rang at %v, want 10 s after %v", rang, began)
		}
		read(10*time.Second, time.Second) // sets the timer to later than the next bound
		began = time.Since(start)
		read(2*time.Second, 3*time.Second)
		if rang := rings(); len(rang) != 1 || rang[0] != began+2*time.Second {
			t.Fatalf("it rang at %v, want 2 s after %v", rang, began)
		}
		s.begin(time.Second)
		s.stop()
		time.Sleep(time.Hour)
		if len(rings()) != 0 {
			t.Fatal("it rang when it was over")
		}
	})
}
