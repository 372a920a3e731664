package counts

import "time"

// History counts the requests that were let through in the last minute, by the quarter
// of a second in which they were sent. Times are offsets from the limiter's start. The
// zero value has seen none.
type History struct {
	bins [historyBins]int32
	bin  int64 // number of the newest bin
}

const (
	historyBins = 256
	historyBin  = 250 * time.Millisecond
)

// Add counts n that were sent at t; refusals are taken off by a negative n.
func (h *History) Add(t time.Duration, n int32) {
	bin := int64(t / historyBin)
	for range min(bin-h.bin, historyBins) {
		h.bin++
		h.bins[h.bin%historyBins] = 0
	}
	h.bin = max(h.bin, bin)
	if h.bin-bin < historyBins {
		h.bins[bin%historyBins] += n
	}
}

// Since is what was let through from t on. Of the bin that holds t it takes a part.
func (h *History) Since(t time.Duration) float64 {
	t = max(t, time.Duration(h.bin-historyBins+1)*historyBin, 0)
	first := int64(t / historyBin)
	n := 0.0
	for i := first; i <= h.bin; i++ {
		n += float64(h.bins[i%historyBins])
	}
	if first > h.bin {
		return 0
	}
	return n - float64(h.bins[first%historyBins])*float64(t%historyBin)/float64(historyBin)
}
