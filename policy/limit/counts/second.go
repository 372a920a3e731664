package counts

import "time"

// A second is counted in secondBins and the one that has begun, so that what is seen
// is never less than a second's.
const (
	secondBins = 8
	secondBin  = time.Second / secondBins
)

// Second counts what went in the last second. Times are offsets from the limiter's
// start. The zero value has seen nothing.
type Second struct {
	bins [secondBins + 1]int64
	bin  int64 // number of the newest bin
}

// Add counts n at t.
func (s *Second) Add(t time.Duration, n int64) {
	s.advance(t)
	s.bins[s.bin%int64(len(s.bins))] += n
}

// Sum returns what went in the second before t.
func (s *Second) Sum(t time.Duration) int64 {
	s.advance(t)
	var n int64
	for _, b := range s.bins {
		n += b
	}
	return n
}

func (s *Second) advance(t time.Duration) {
	n := int64(t / secondBin)
	for range min(n-s.bin, int64(len(s.bins))) {
		s.bin++
		s.bins[s.bin%int64(len(s.bins))] = 0
	}
	s.bin = max(s.bin, n)
}
